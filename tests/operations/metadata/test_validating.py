"""A site's function may refuse values."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from rooms.operations.metadata.validating import validator
from tests.operations.driver import do, refused, server


def only_numbers(room_id: str, key: str, value: object, by: str) -> None:
    if key == "n" and value is not None and not isinstance(value, int):
        raise ValueError(f"{by or 'the server'} keeps numbers only")
    assert len(room_id) == 24


@pytest.fixture
def site(settings):
    settings.METADATA_VALIDATOR = f"{__name__}.only_numbers"


def test_a_function_of_the_site_may_refuse_a_value(site, alice, room):
    assert refused(alice, "set-metadata", key="n", data="one") == (
        422,
        "data: n: peer-Alice keeps numbers only",
    )
    assert refused(server(room), "set-metadata", key="n", data=[])[1] == "data: n: the server keeps numbers only"
    do(alice, "set-metadata", key="n", data=1)
    do(alice, "set-metadata", key="other", data="one")
    changes = [{"key": "other", "data": "two"}, {"key": "n", "patch": {"a": 1}}]
    assert refused(alice, "update-metadata", changes=changes)[0] == 422
    assert do(alice, "get-metadata", key="other")["data"] == "one"
    do(alice, "set-metadata", key="n")


@pytest.mark.parametrize("path", ["nowhere.function", f"{__name__}.nothing", f"{__name__}.pytest", "word"])
def test_a_function_that_is_not_there_stops_the_start(settings, path):
    settings.METADATA_VALIDATOR = path
    with pytest.raises(ImproperlyConfigured, match="METADATA_VALIDATOR: "):
        validator()
