"""Rows to files that other tools read: CSV, JSON lines, Parquet. Each writer takes any number of rows and keeps few."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from parsers.errors import UsageError
from storage.dictionary import Entry

Row = Sequence[Any]
Writer = Callable[[Path, Sequence[Entry], Iterable[Row]], None]
"""Writes a file; the entries are its columns as the dictionary describes them."""

ROW_GROUP = 5_000
"""Rows held at once for a Parquet file: about 20 MB of articles."""
FORMULA = "'*(?:[\\t\\r\\n]|[\\s\\x00-\\x1f\\ufeff]*[=+\\-@＝＋－＠])"
"""Text that a spreadsheet may take for a formula (OWASP, CSV Injection; the wide signs where Japanese is written), or that is
such text with apostrophes before it."""
_formula = re.compile(FORMULA)


def harmless(text: str) -> str:
    """Text for a CSV cell. An apostrophe goes before what looks like a formula: `re.sub("\\A'(?=FORMULA)", "", cell)` takes
    it off again, and off nothing else. A NUL, which few readers take, becomes U+FFFD."""
    text = text.replace("\0", "\ufffd")
    return f"'{text}" if _formula.match(text) else text


def write_csv(path: Path, columns: Sequence[Entry], rows: Iterable[Row]) -> None:
    """RFC 4180 in UTF-8, a header line first; null and "" are both an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.column for column in columns])
        writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def write_jsonl(path: Path, columns: Sequence[Entry], rows: Iterable[Row]) -> None:
    """One object a line; what the archive keeps as JSON is JSON here, not text."""
    names = [column.column for column in columns]
    nested = [column.column for column in columns if column.unit.startswith("JSON")]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = dict(zip(names, row, strict=True))
            for name in nested:
                line[name] = None if line[name] is None else json.loads(line[name])
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def write_parquet(path: Path, columns: Sequence[Entry], rows: Iterable[Row]) -> None:
    """True types: instants with their zone, dates, booleans, lists. The meaning of a column stands in its metadata."""
    arrow, parquet = require_parquet()
    kinds = {
        "INTEGER": (arrow.int64(), None),
        "REAL": (arrow.float64(), None),
        "UTC": (arrow.timestamp("ms", tz="UTC"), datetime.fromisoformat),
        "UTC date": (arrow.date32(), date.fromisoformat),
        "0 or 1": (arrow.bool_(), bool),
        "JSON list": (arrow.list_(arrow.string()), json.loads),
    }
    chosen = [kinds.get(column.unit) or kinds.get(column.type) or (arrow.string(), None) for column in columns]
    schema = arrow.schema(
        arrow.field(column.column, kind, metadata={"meaning": column.meaning, "unit": column.unit})
        for column, (kind, _) in zip(columns, chosen, strict=True)
    )
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(rows):
            arrays = [
                arrow.array(values if read is None else [None if v is None else read(v) for v in values], kind)
                for values, (kind, read) in zip(zip(*group, strict=True), chosen, strict=True)
            ]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while group := list(islice(iterator, ROW_GROUP)):
        yield group


def require_parquet() -> tuple[Any, Any]:
    """The modules that write Parquet. Raises UsageError naming the extra that brings them."""
    try:
        import pyarrow  # noqa: PLC0415 - heavy, and an extra
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "Parquet needs an extra that is not installed",
            cause=str(error),
            next="pip install 'newsmorgue[parquet]', or export csv or jsonl",
        ) from error
    return pyarrow, pyarrow.parquet


WRITERS: dict[str, Writer] = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}
