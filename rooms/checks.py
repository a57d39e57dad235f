"""System checks: settings that do not suit each other, and with ``check --deploy`` what is unsafe in production.

Settings that cannot work at all stop the start, see ``hmsroom/environment.py``.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from rooms.access.origins import ANY, LOOPBACK

OWN = "rooms"
"""The tag of the checks that a start makes: those of Django, and of ``--deploy``, are of the code and the place."""

SECRET_BYTES = 32
"""The least that HS256 should be given."""

_FITS_INTO = (
    ("MAX_VALUE_BYTES", "MAX_FRAME_BYTES"),
    ("MAX_PEER_METADATA_BYTES", "MAX_FRAME_BYTES"),
    ("MAX_MESSAGE_CHARS", "MAX_FRAME_BYTES"),
    ("MAX_VALUE_BYTES", "MAX_STORE_BYTES"),
    ("MAX_KEYS", "MAX_KEYS_EVER"),
    ("MAX_FRAME_BYTES", "MAX_UNSENT_BYTES"),
    ("MAX_PEERS_PER_OWNER", "MAX_ROOM_PEERS"),
)


@register(OWN)
def settings_that_do_not_suit_each_other(**_: Any) -> Iterator[CheckMessage]:
    if settings.PEER_GRACE < settings.LEASE_TTL:
        yield Warning(
            "PEER_GRACE is less than LEASE_TTL.",
            hint="Peers of a process that died are removed when its death is noticed, before they can come back.",
            id="rooms.W001",
        )
    for name, whole in _FITS_INTO:
        if getattr(settings, name) > getattr(settings, whole):
            hint = f"What {name} allows is then refused by {whole}."
            yield Warning(f"{name} is more than {whole}.", hint=hint, id="rooms.W002")
    if settings.EMBEDDED and settings.REDIS_URL:
        yield Warning(
            "REDIS_URL is set, but the database is SQLite.",
            hint="With SQLite one process serves, which needs no Redis. For several, set DATABASE_URL to PostgreSQL.",
            id="rooms.W003",
        )


@register(Tags.security, deploy=True)
def unsafe_settings(**_: Any) -> list[CheckMessage]:
    return [*_reachability(), *_secrets(), *_files(), *_processes()]


def _reachability() -> Iterator[CheckMessage]:
    if settings.DEVELOPMENT:
        hint = "It lets any page of this machine in and shows the admin. Unset it and set the secrets."
        yield Warning("HMSROOM_DEV is on.", hint=hint, id="rooms.W010")
    if not settings.PUBLIC_URL:
        hint = "Without it the server believes the Host header. As in PUBLIC_URL=https://rooms.example.org"
        yield Warning("PUBLIC_URL is not set.", hint=hint, id="rooms.W011")
    elif not settings.PUBLIC_URL.startswith("https://"):
        hint = "Tokens and messages travel in the open, and cookies are not marked as secure. Put a TLS proxy in front."
        yield Warning("PUBLIC_URL is not https.", hint=hint, id="rooms.W012")
    elif not settings.TRUSTED_PROXIES:
        yield Warning(
            "PUBLIC_URL is https, but TRUSTED_PROXIES is empty.",
            hint="Name the address of the proxy that does TLS, else all clients count as one address.",
            id="rooms.W013",
        )
    if wide := [str(network) for network in settings.TRUSTED_PROXIES if not network.prefixlen]:
        hint = "Whoever connects is then believed about its address and scheme. Name the proxies alone."
        yield Warning(f"TRUSTED_PROXIES contains {', '.join(wide)}.", hint=hint, id="rooms.W017")
    if "*" in settings.ALLOWED_HOSTS:
        hint = "List the host names by which clients reach the server."
        yield Warning("ALLOWED_HOSTS contains *.", hint=hint, id="rooms.W014")
    if open_to := {ANY, LOOPBACK} & set(settings.ALLOWED_ORIGINS):
        hint = "List the origins of the pages that may join, such as https://app.example.org"
        yield Warning(f"ALLOWED_ORIGINS contains {', '.join(sorted(open_to))}.", hint=hint, id="rooms.W015")
    if settings.ADMIN_PATH == "admin/":
        hint = "It is the first place that is tried. As in ADMIN_PATH=staff-7f3a/, or leave it unset."
        yield Warning("The admin is on its default path.", hint=hint, id="rooms.W016")
    if settings.ROOM_CREATION == "anyone":
        hint = "Whoever finds the start page may make rooms. ROOM_CREATION=staff leaves that to people who log in."
        yield Warning("ROOM_CREATION is anyone.", hint=hint, id="rooms.W018")


def _secrets() -> Iterator[CheckMessage]:
    secret = settings.APP_SECRET
    if len(secret.encode()) < SECRET_BYTES or len(set(secret)) < 8:
        yield Warning(
            f"APP_SECRET has less than {SECRET_BYTES} bytes, or few different ones.",
            hint="Whoever guesses it enters every room. python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            id="rooms.W020",
        )
    if secret == settings.SECRET_KEY:
        hint = "Back ends that sign tokens know APP_SECRET, and could then forge logins to the admin."
        yield Warning("APP_SECRET and SECRET_KEY are the same.", hint=hint, id="rooms.W021")


def _files() -> Iterator[CheckMessage]:
    # Files are taken from others at every start, as far as they are ours: hmsroom/environment.py.
    folder = settings.DATA_DIR
    if folder.exists() and folder.stat().st_mode & 0o077:
        hint = f"It holds secrets and what people wrote: chmod 700 {folder}"
        yield Warning(f"Other users of this machine may look into DATA_DIR {folder}.", hint=hint, id="rooms.W022")


def _processes() -> Iterator[CheckMessage]:
    if not settings.EMBEDDED and not settings.REDIS_URL:
        yield Warning(
            "DATABASE_URL is PostgreSQL, but REDIS_URL is not set.",
            hint="With more than one process, events of the others come late by up to POSITION_CHECK_INTERVAL.",
            id="rooms.W030",
        )
