"""A package's requirements in another environment, as links to those of this one: pip takes minutes to copy them."""

from collections import defaultdict
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def link_requirements(package: str, packages: Path) -> None:
    """Link all that a package requires, directly or not, and none of what this environment has beside.

    Args:
      package: name of a package that is installed in the other environment.
      packages: the site-packages folder there.

    Raises:
      PackageNotFoundError: this environment lacks one of them.
    """
    (root,) = metadata.distributions(name=package, path=[str(packages)])
    required: dict[str, metadata.Distribution] = {}
    pending = [root]
    while pending:
        for text in pending.pop().requires or []:
            requirement = Requirement(text)
            name = canonicalize_name(requirement.name)
            if name not in required and (not requirement.marker or requirement.marker.evaluate({"extra": ""})):
                required[name] = metadata.distribution(name)
                assert requirement.specifier.contains(required[name].version, prereleases=True), text
                pending.append(required[name])
    _link_files(required, packages)


def _link_files(required: dict[str, metadata.Distribution], packages: Path) -> None:
    """Link files of distributions by the largest folders that hold nothing of others."""
    owners = defaultdict(set)
    for distribution in metadata.distributions():
        name = canonicalize_name(distribution.name)
        for file in distribution.files or []:
            for depth in range(1, len(file.parts) + 1):
                owners[file.parts[:depth]].add(name)
    for distribution in required.values():
        place = Path(str(distribution.locate_file("")))
        for file in distribution.files or []:
            parts = file.parts
            if parts[0] == "..":
                continue  # scripts
            depth = next(depth for depth in range(1, len(parts) + 1) if owners[parts[:depth]] <= required.keys())
            link = packages.joinpath(*parts[:depth])
            if not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(place.joinpath(*parts[:depth]))
