"""One file a publication. The registry walks this folder: there is no list to edit."""
