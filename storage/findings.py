"""What a check of an archive finds: one finding a thing that is not as it was written."""

from dataclasses import dataclass

KINDS = {
    "file_missing": "a WARC file that rows point into is not there",
    "file_unreadable": "the system refuses to read a WARC file, or a part of it",
    "file_cut": "a WARC file is shorter than it was",
    "damaged_record": "bytes of a record were changed: it cannot be unpacked",
    "zero_filled": "bytes of records were overwritten with zeros",
    "garbage": "bytes between or behind the records that belong to none",
    "unreadable_record": "bytes unpack well, but hold no record that can be read",
    "digest_mismatch": "a record's payload or block is not what its own digest says",
    "record_out_of_place": "a whole record that does not belong where it lies: copied there from elsewhere",
    "altered_header": "the head of a gzip member was changed; what it holds is whole",
    "torn_tail": "a record at the end of a file that a killed run never finished",
    "row_without_bytes": "a capture or a visit points to where no record begins",
    "row_mismatch": "the record is not the one that the capture or visit speaks of",
    "bytes_without_row": "a response in a WARC file that no visit points to",
    "index_behind": "rows point behind what is said to be indexed of their file",
    "database_missing": "there is no archive.db",
    "database_damaged": "archive.db cannot be read, or its pages contradict each other",
    "foreign_key": "a row points to a row that is not there",
    "text_missing": "an article cannot be found by its words",
    "text_extra": "full text search finds what is no article's latest reading",
    "text_mismatch": "full text search has other words for an article than its text",
    "latest_reading": "an article has no latest reading, several, or an older one",
    "revision_number": "the revisions of an article are not numbered 1, 2, 3 ...",
    "quote_span": "a statement's text is not what stands at its spans",
}
"""Every kind of finding and what it means."""
BYTES = frozenset(
    "file_missing file_unreadable file_cut damaged_record zero_filled garbage unreadable_record digest_mismatch record_out_of_place "
    "row_without_bytes row_mismatch".split()
)
"""Kinds for which bytes of a WARC file are gone or are not those that belong there."""

ABOUT_ROWS = frozenset(("row_without_bytes", "row_mismatch", "index_behind"))
"""Kinds of what rows say of a WARC file."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `file`: a WARC file's name or `archive.db`.

    `offset`: where in a WARC file, in bytes; in `archive.db` the number (rowid) of the row, or of a page its place in bytes.
    `length`: bytes concerned. None where there is none. `behind`: it lies behind what is indexed, where a run that was
    killed leaves it and the next one that writes sees to it.
    """

    kind: str
    file: str
    offset: int | None
    url: str | None
    detail: str
    length: int | None = None
    behind: bool = False

    def as_row(self) -> dict[str, object]:
        """The finding as `verify` prints it."""
        return {
            "kind": self.kind,
            "file": self.file,
            "offset": self.offset,
            "length": self.length,
            "url": self.url,
            "detail": self.detail,
        }
