"""System checks: settings that cannot work (``check``), and what is unsafe in production (``check --deploy``)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from rooms.origins import ANY, LOOPBACK

SECRET_BYTES = 32
"""The least that HS256 should be given."""

_INTERVALS = ("LEASE_TTL", "HEARTBEAT_INTERVAL", "REAPER_INTERVAL", "POSITION_CHECK_INTERVAL")
_NOT_NEGATIVE = (
    "PEER_GRACE",
    "SESSION_LINGER",
    "HISTORY_DAYS",
    "COALESCE_MS",
    "RATE_LIMIT",
    "CONNECT_RATE",
    "TOKEN_RATE",
)
_FITS_INTO = (
    ("MAX_VALUE_BYTES", "MAX_FRAME_BYTES"),
    ("MAX_VALUE_BYTES", "MAX_STORE_BYTES"),
    ("MAX_FRAME_BYTES", "MAX_UNSENT_BYTES"),
)
_BURSTS = (("RATE_LIMIT", "RATE_BURST"), ("CONNECT_RATE", "CONNECT_BURST"), ("TOKEN_RATE", "TOKEN_BURST"))


@register()
def settings_that_cannot_work(**_: Any) -> list[CheckMessage]:
    return [*_presence(), *_limits(), *_installation()]


def _presence() -> Iterator[CheckMessage]:
    for name in _INTERVALS:
        if getattr(settings, name) <= 0:
            yield Error(f"{name} is not more than 0.", hint="It is a time in seconds.", id="rooms.E001")
    for name in _NOT_NEGATIVE:
        if getattr(settings, name) < 0:
            yield Error(f"{name} is less than 0.", hint="0 is the least it can be.", id="rooms.E002")
    if settings.LEASE_TTL < 2 * settings.HEARTBEAT_INTERVAL:
        yield Error(
            "LEASE_TTL is less than two HEARTBEAT_INTERVALs.",
            hint="One late heartbeat would look like the death of the process. Three intervals are usual.",
            id="rooms.E003",
        )
    if settings.PEER_GRACE < settings.LEASE_TTL:
        yield Warning(
            "PEER_GRACE is less than LEASE_TTL.",
            hint="Peers of a process that died are removed when its death is noticed, before they can come back.",
            id="rooms.W001",
        )


def _limits() -> Iterator[CheckMessage]:
    for name, whole in _FITS_INTO:
        if getattr(settings, name) > getattr(settings, whole):
            hint = f"What {name} allows is then refused by {whole}."
            yield Warning(f"{name} is more than {whole}.", hint=hint, id="rooms.W002")
    for rate, burst in _BURSTS:
        if getattr(settings, rate) > 0 and getattr(settings, burst) < 1:
            hint = f"Nothing would ever pass. {rate}=0 lifts the limit."
            yield Error(f"{burst} is less than 1.", hint=hint, id="rooms.E004")


def _installation() -> Iterator[CheckMessage]:
    path = settings.ADMIN_PATH
    if path and (path.startswith("/") or not path.endswith("/")):
        hint = "As in ADMIN_PATH=staff-7f3a/"
        yield Error(f"ADMIN_PATH {path!r} begins with a slash or does not end with one.", hint=hint, id="rooms.E005")
    if settings.EMBEDDED and not _is_writable(settings.DATA_DIR):
        yield Error(
            f"DATA_DIR {settings.DATA_DIR} cannot be written to.",
            hint="SQLite and the server's lock need it. Give it to the user who runs the server, or set DATABASE_URL.",
            id="rooms.E006",
        )
    if settings.EMBEDDED and settings.REDIS_URL:
        yield Warning(
            "REDIS_URL is set, but the database is SQLite.",
            hint="With SQLite one process serves, which needs no Redis. For several, set DATABASE_URL to PostgreSQL.",
            id="rooms.W003",
        )


def _is_writable(directory: Path) -> bool:
    """Whether files can be made in the directory, which may have to be made itself."""
    while not directory.exists():
        directory = directory.parent
    return directory.is_dir() and os.access(directory, os.W_OK | os.X_OK)


@register(Tags.security, deploy=True)
def unsafe_settings(**_: Any) -> list[CheckMessage]:
    return [*_reachability(), *_secrets(), *_processes()]


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
    if "*" in settings.ALLOWED_HOSTS:
        hint = "List the host names by which clients reach the server."
        yield Warning("ALLOWED_HOSTS contains *.", hint=hint, id="rooms.W014")
    if open_to := {ANY, LOOPBACK} & set(settings.ALLOWED_ORIGINS):
        hint = "List the origins of the pages that may join, such as https://app.example.org"
        yield Warning(f"ALLOWED_ORIGINS contains {', '.join(sorted(open_to))}.", hint=hint, id="rooms.W015")
    if settings.ADMIN_PATH == "admin/":
        hint = "It is the first place that is tried. As in ADMIN_PATH=staff-7f3a/, or leave it unset."
        yield Warning("The admin is on its default path.", hint=hint, id="rooms.W016")


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


def _processes() -> Iterator[CheckMessage]:
    if not settings.EMBEDDED and not settings.REDIS_URL:
        yield Warning(
            "DATABASE_URL is PostgreSQL, but REDIS_URL is not set.",
            hint="With more than one process, events of the others come late by up to POSITION_CHECK_INTERVAL.",
            id="rooms.W030",
        )
