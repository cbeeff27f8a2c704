"""Gives attributes other names: ``renameAttributes``. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from processor.errors import UnviewableError
from processor.view.projection import Attributes


class Renaming:
    """All of them at once, so that two may change places.

    :param names: old to new names
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)

    def __call__(self, attributes: Attributes) -> Attributes:
        """The attributes under their new names.

        :raises UnviewableError: an attribute would take the place of another one, whose value would be lost
        """
        names = self._names
        renamed = {names.get(name, name): value for name, value in attributes.items()}
        if len(renamed) < len(attributes):
            taken = next(new for old, new in names.items() if {old, new} <= attributes.keys() and new not in names)
            message = (
                f"it has an attribute {taken} already, which another one is to be renamed to; with {taken} in "
                "excludeAttributes that one is left out"
            )
            raise UnviewableError(message, code="RenameTaken")
        return renamed
