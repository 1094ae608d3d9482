"""Keeping: the archive of WARC captures and one SQLite file. The only folder that knows SQL."""
