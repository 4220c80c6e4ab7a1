"""Metadata of the distribution that depend on where the project is published.

README.md shows a picture by its path in the repository, which an index of packages cannot follow.
With the repository's address (`repository` under [tool.hatch.metadata.hooks.custom] in
pyproject.toml) paths become absolute and the project's addresses are filled in; as long as it is
empty, the picture is left out.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Metadata(MetadataHookInterface):
    """Fill in readme and addresses."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add what pyproject.toml calls dynamic."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        address = self.config.get("repository", "").rstrip("/")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(text, address, f"v{metadata['version']}"),
        }
        metadata["urls"] = addresses(address)


def absolute(text: str, address: str, tag: str) -> str:
    """Give pictures of a readme their absolute addresses, or leave them out where there is none."""
    if not address:
        return re.sub(r"!\[[^\]]*\]\((?!https?:)[^)]*\)\n*", "", text)
    return re.sub(r"(!\[[^\]]*\]\()(?!https?:)([^)]*\))", rf"\g<1>{address}/raw/{tag}/\g<2>", text)


def addresses(address: str) -> dict[str, str]:
    """Addresses of the project, by name; none where it is not published."""
    if not address:
        return {}
    return {
        "Repository": address,
        "Changelog": f"{address}/blob/main/CHANGELOG.md",
        "Documentation": f"{address}/tree/main/docs",
        "Issues": f"{address}/issues",
    }
