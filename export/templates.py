"""Texts with {{placeholders}}."""

import re
from pathlib import Path


def fill(template: Path, **values: str) -> str:
    """Return the text of a file with its {{placeholders}} filled in; one without a value raises KeyError."""
    text = template.read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda placeholder: values[placeholder[1]], text)
