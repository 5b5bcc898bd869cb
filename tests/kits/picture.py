"""The picture of the layers and their imports that CONTRIBUTING.md shows, drawn from the code.

``python3 tests/kits/picture.py`` prints it, ``--write`` puts it into CONTRIBUTING.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kits import counts
from kits.language import ROOT

#: Imported by nearly every layer; their arrows are left out of the picture.
BELOW_ALL = ("util", "errors")
PAGE = ROOT / "CONTRIBUTING.md"
_BLOCK = re.compile(r"(<!-- picture -->\n```text\n)(.*?)(```\n<!-- end -->\n)", re.DOTALL)


def layers(root: Path = ROOT) -> list[list[str]]:
    """Return the layers of pyproject.toml, top first; those of one line may not import each other.

    Read without a TOML library: the interpreter that runs the tests may have none.
    """
    text = (root / "pyproject.toml").read_text("utf-8")
    listed = re.search(r"^layers = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert listed is not None
    return [row.split(" | ") for row in re.findall(r'"([^"]+)"', listed.group(1))]


def arrows(root: Path = ROOT) -> dict[str, set[str]]:
    """Return the layers that each layer imports, within functions and for type checking too."""
    found: dict[str, set[str]] = {}
    for module, targets in counts.all_imports(counts.parse(root)).items():
        layer = module.split(".")[1] if "." in module else ""
        used = {target.split(".")[1] for target in targets if "." in target}
        found.setdefault(layer, set()).update(used - {layer})
    return found


def draw(root: Path = ROOT) -> str:
    """Return the picture: one line a layer, with the layers that it imports, nearest first."""
    rows = layers(root)
    order = [name for row in rows for name in row]
    used = arrows(root)
    width = max(len(" | ".join(row)) for row in rows)
    lines = []
    for row in rows:
        names = {name for layer in row for name in used.get(layer, ())} - {*BELOW_ALL, *row}
        targets = " ".join(name for name in order if name in names)
        lines.append(f"{' | '.join(row):{width}}  {'-> ' + targets if targets else ''}".rstrip())
    return "\n".join(lines) + "\n"


def shown(page: Path = PAGE) -> str:
    """Return the picture that the page shows."""
    block = _BLOCK.search(page.read_text("utf-8"))
    assert block is not None, f"{page.name} has no <!-- picture --> block"
    return block.group(2)


def main() -> None:
    """Print the picture, or write it into the page."""
    if sys.argv[1:] == ["--write"]:
        text = PAGE.read_text("utf-8")
        PAGE.write_text(_BLOCK.sub(lambda block: block[1] + draw() + block[3], text), "utf-8")
    else:
        sys.stdout.write(draw())


if __name__ == "__main__":
    main()
