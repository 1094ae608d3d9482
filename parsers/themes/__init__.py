"""Families of layouts: one template each, shared by many publishers."""
