"""All settings. The environment overrides them; docs/configuration.md describes each."""

import sys
import warnings
from pathlib import Path

from hmsroom import secret_store
from hmsroom.environment import DAY, MIB, Environment, keep_private, make_private, make_private_database, unreadable

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = env = Environment()

# --- Installation -------------------------------------------------------------------------------

DEVELOPMENT = env.switch("HMSROOM_DEV", default=False)
DEBUG = env.switch("DEBUG", default=False)
DATA_DIR = Path(env.text("DATA_DIR", default=str(BASE_DIR / "var"))).absolute()

database = env.database(
    "DATABASE_URL", default={"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "db.sqlite3")}
)
DATABASE_POOL = env.whole("DATABASE_POOL", default=8, least=1, most=1000)
EMBEDDED = "sqlite" in database["ENGINE"]
if DEVELOPMENT or EMBEDDED:
    make_private(DATA_DIR)
if EMBEDDED:
    make_private_database(Path(database["NAME"]))
for name in ("secrets.json", "server.lock"):
    keep_private(DATA_DIR / name)

SECRET_KEY, ACCESS_KEY, APP_SECRET = secret_store.load(DATA_DIR, create=DEVELOPMENT)

PUBLIC_URL = env.public_url("PUBLIC_URL")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
ALLOWED_ORIGINS = env.origins("ALLOWED_ORIGINS", default=["loopback"] if DEVELOPMENT else [], words=("*", "loopback"))
FRAME_ANCESTORS = env.web_origins("FRAME_ANCESTORS")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
ADMIN_PATH = env.path("ADMIN_PATH", default="admin/" if DEVELOPMENT else "")
COOKIE_PREFIX = env.cookie_prefix("COOKIE_PREFIX")
ROOM_CREATION = env.one_of("ROOM_CREATION", "anyone", "staff")
METRICS_TOKEN = env.bearer("METRICS_TOKEN")
HISTORY_DAYS = env.span("HISTORY_DAYS", default=30, unit="d")
ROOM_DAYS = env.span("ROOM_DAYS", default=0, unit="d")
AUDIT_DAYS = env.span("AUDIT_DAYS", default=30, unit="d")
AUDIT_VALUE_BYTES = env.whole("AUDIT_VALUE_BYTES", default=0, most=MIB)

# --- Presence (seconds) -------------------------------------------------------------------------

PEER_GRACE = env.span("PEER_GRACE", default=60, most=7 * DAY)
TAB_GRACE = env.span("TAB_GRACE", default=10, most=7 * DAY)
LEASE_TTL = env.span("LEASE_TTL", default=15, least=0.1, most=3600)
HEARTBEAT_INTERVAL = env.span("HEARTBEAT_INTERVAL", default=5, least=0.01, most=1800)
REAPER_INTERVAL = env.span("REAPER_INTERVAL", default=2, least=0.01, most=3600)
POSITION_CHECK_INTERVAL = env.span("POSITION_CHECK_INTERVAL", default=5, least=0.01, most=3600)
SESSION_LINGER = env.span("SESSION_LINGER", default=0, most=365 * DAY)
DRAIN_SECONDS = env.span("DRAIN_SECONDS", default=10, most=3600)
if LEASE_TTL < 2 * HEARTBEAT_INTERVAL:
    # One late heartbeat would look like the death of the process.
    expected = f"two HEARTBEAT_INTERVALs at least, here {2 * HEARTBEAT_INTERVAL:g} s; three are usual"
    raise unreadable("LEASE_TTL", f"{LEASE_TTL:g} s is too short", expected)

# --- Limits: what is stored has to fit into its column, see rooms/models.py -----------------------

MAX_VALUE_BYTES = env.whole("MAX_VALUE_BYTES", default=16 * 1024, least=2, most=16 * MIB)
MAX_STORE_BYTES = env.whole("MAX_STORE_BYTES", default=256 * 1024, least=2, most=1024 * MIB)
MAX_KEYS = env.whole("MAX_KEYS", default=256, least=1, most=100_000)
MAX_KEYS_EVER = env.whole("MAX_KEYS_EVER", default=1000, least=1, most=100_000)
MAX_KEY_BYTES = env.whole("MAX_KEY_BYTES", default=128, least=1, most=128)
METADATA_VALIDATOR = env.text("METADATA_VALIDATOR")
MAX_MESSAGE_CHARS = env.whole("MAX_MESSAGE_CHARS", default=4000, least=1, most=MIB)
MAX_NAME_CHARS = env.whole("MAX_NAME_CHARS", default=100, least=1, most=400)
MAX_PEER_METADATA_BYTES = env.whole("MAX_PEER_METADATA_BYTES", default=4 * 1024, most=MIB)
MAX_USER_ID_CHARS = env.whole("MAX_USER_ID_CHARS", default=128, least=36, most=128)
MAX_FRAME_BYTES = env.whole("MAX_FRAME_BYTES", default=64 * 1024, least=1024, most=16 * MIB)
MAX_ROOM_PEERS = env.whole("MAX_ROOM_PEERS", default=2500, least=1, most=100_000)
MAX_PEERS_PER_OWNER = env.whole("MAX_PEERS_PER_OWNER", default=20, least=1, most=100_000)
KEPT_MESSAGES = env.whole("KEPT_MESSAGES", default=1000, most=1_000_000)
# With less nobody could be sent what a socket is told first.
MAX_UNSENT_BYTES = env.whole("MAX_UNSENT_BYTES", default=MIB, least=64 * 1024, most=1024 * MIB)
MAX_UNSENT_SECONDS = env.span("MAX_UNSENT_SECONDS", default=10, least=0.01, most=3600)
HANDSHAKE_SECONDS = env.span("HANDSHAKE_SECONDS", default=10, least=0.1, most=3600)

# Requests a second and at once: of one peer, of one address (new sockets; tokens and rooms), of one access key.
RATE_LIMIT = env.number("RATE_LIMIT", default=10)
RATE_BURST = env.whole("RATE_BURST", default=30)
CONNECT_RATE = env.number("CONNECT_RATE", default=50)
CONNECT_BURST = env.whole("CONNECT_BURST", default=1000, least=1)  # of unfinished connections in any case
TOKEN_RATE = env.number("TOKEN_RATE", default=10)
TOKEN_BURST = env.whole("TOKEN_BURST", default=200)
REST_RATE = env.number("REST_RATE", default=50)
REST_BURST = env.whole("REST_BURST", default=500)
for rate, burst in (
    ("RATE_LIMIT", RATE_BURST), ("CONNECT_RATE", CONNECT_BURST), ("TOKEN_RATE", TOKEN_BURST), ("REST_RATE", REST_BURST),
):  # fmt: skip
    if globals()[rate] and burst < 1:
        name = f"{rate.partition('_')[0]}_BURST"
        raise unreadable(name, "with 0 nothing would ever pass", f"1 or more, or {rate}=0, which lifts the limit")

# --- Journal and delivery -----------------------------------------------------------------------

JOURNAL_EVENTS = env.whole("JOURNAL_EVENTS", default=256)
JOURNAL_SECONDS = env.span("JOURNAL_SECONDS", default=120)
JOURNAL_MAX_EVENTS = env.whole("JOURNAL_MAX_EVENTS", default=10_000)
JOURNAL_MAX_BYTES = env.whole("JOURNAL_MAX_BYTES", default=16 * MIB)
CLIENT_ID_SECONDS = env.span("CLIENT_ID_SECONDS", default=300)
COALESCE_MS = env.span("COALESCE_MS", default=4, unit="ms", most=1)
FAST_PATH = env.switch("FAST_PATH", default=True)

# --- Webhooks -----------------------------------------------------------------------------------

WEBHOOK_TIMEOUT = env.span("WEBHOOK_TIMEOUT", default=10, least=0.1, most=60)
WEBHOOK_HTTP = env.switch("WEBHOOK_HTTP", default=DEVELOPMENT)
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS")
# What is tried again for a day must be kept for longer.
WEBHOOK_DAYS = env.span("WEBHOOK_DAYS", default=30, unit="d", least=2 * DAY)

# --- Django -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    *(["daphne"] if "runserver" in sys.argv else []),  # which it replaces; Twisted is long to load
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "ninja",  # for the static files of /v2/docs
    "rooms",
]

MIDDLEWARE = [
    "rooms.observe.logs.RequestIds",
    "rooms.api.health.Probes",
    "django.middleware.security.SecurityMiddleware",
    "rooms.access.headers.SecurityHeaders",
    "rooms.access.languages.Languages",
    "rooms.api.rest.refusals.Refusals",
    "rooms.api.bodies.Texts",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "hmsroom.urls"
ASGI_APPLICATION = "hmsroom.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if EMBEDDED:
    database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # NORMAL: a commit survives the death of the process, the last ones not a power cut.
        # secure_delete: what is deleted is written over, in the file of the database.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=8000;"
            " PRAGMA secure_delete=ON"
        ),
    }
    # Tests need a file: threads that share an in-memory database meet locks that no time-out covers.
    database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    database["CONN_MAX_AGE"] = 0
    database["CONN_HEALTH_CHECKS"] = True  # a connection that the database dropped is no caller's concern
    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),
        # A database that is away, or silent, must cost callers seconds and not minutes.
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "pool": {
            "min_size": 1,
            "max_size": DATABASE_POOL,
            "timeout": 5,
            # Left to itself the pool tries again ever less often, and a process whose pool sleeps looks dead to those
            # that found the database again. Having given up, it tries anew for the next caller.
            "reconnect_timeout": 4,
        },
    }

REDIS_URL = env.redis_urls("REDIS_URL")
if REDIS_URL:
    # A layer for each, not one over them all: that one would wait for a Redis that hangs while the others answer.
    CHANNEL_LAYERS = {
        f"redis-{number}" if number else "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [url]},
        }
        for number, url in enumerate(REDIS_URL)
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("ar", "العربية")]  # of the pages
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "hmsroom.formats"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.text("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
# Files are served from where they are. What was collected besides are the bundles, if there are any.
WHITENOISE_USE_FINDERS = True
warnings.filterwarnings("ignore", "No directory at", UserWarning)
WHITENOISE_AUTOREFRESH = DEVELOPMENT
WHITENOISE_IMMUTABLE_FILE_TEST = r"/rooms/bundle/"
WHITENOISE_ALLOW_ALL_ORIGINS = True  # other sites may import the script modules
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "rooms.assets.Storage"},
}

SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}language"
LANGUAGE_COOKIE_AGE = 365 * DAY
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = int(env.span("SECURE_HSTS_SECONDS", default=0, most=3650 * DAY))
SECURE_SSL_REDIRECT = env.switch("SECURE_SSL_REDIRECT", default=False)
# Whether other hosts of the domain are https is not for this server to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CSRF_FAILURE_VIEW = "rooms.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "bounded": {"()": "rooms.observe.logs.Bounded"},
        "hide_tokens": {"()": "rooms.observe.logs.HideTokens"},
        "bugs": {"()": "rooms.observe.logs.BugsOnly"},
    },
    "formatters": {"line": {"()": "rooms.observe.logs.LineFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["bounded", "hide_tokens"]}
    },
    "root": {"handlers": ["stderr"], "level": env.log_level("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "django.request": {"filters": ["bugs"]},
        "daphne": {"level": "WARNING"},
        # Of each try they would write the whole URL, which may be as good as a password.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # Started by hand, uvicorn would write tokens to handlers of its own.
        **{
            name: {"handlers": ["stderr"], "propagate": False}
            for name in ("uvicorn", "uvicorn.access", "uvicorn.error")
        },
    },
}
