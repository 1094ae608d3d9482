"""The world: network, clock, terminal. Moves things between the web, the archive and the reader's screen."""

from importlib.metadata import packages_distributions as _packages_distributions

# The three package names are generic and pip installs a second owner of a name without a word,
# after which one of the two programs is broken in strange ways. Say so at once, by name.
_owners = _packages_distributions()
for _name in ("scraper", "parsers", "storage"):
    _who = sorted({"newsmorgue", *_owners.get(_name, ())})
    if len(_who) > 1:
        raise ImportError(
            f"the package name {_name!r} is installed by more than one distribution: {', '.join(_who)}. "
            "Install newsmorgue in an environment of its own: pipx install newsmorgue"
        )
del _owners, _name, _who
