"""Parts of addresses that are names which an app chose, and may hold any character."""

from django.urls import register_converter


class Name:
    """The whole rest of a path, slashes and line breaks included, as the decoded text."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Name, "name")
