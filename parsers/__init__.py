"""Understanding pages: bytes in, article out. No network, no clock, no database, no files."""
