"""The error that a file raises which cannot be used."""


class FileError(Exception):
    """The visitor's file cannot be used, for example because it is not a table.

    Attributes:
        kind: The reason, such as "too_many". The section `[csv]` in `en.toml` has a text for it.
        values: The values for the placeholders in this text.
    """

    def __init__(self, kind: str, **values: str) -> None:
        super().__init__(kind)
        self.kind, self.values = kind, values
