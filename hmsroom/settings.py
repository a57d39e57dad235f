"""All settings. The environment overrides them; docs/configuration.md describes each."""

from pathlib import Path

from hmsroom import secret_store
from hmsroom.environment import Environment, make_private

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- Installation -------------------------------------------------------------------------------

DEVELOPMENT = env.switch("HMSROOM_DEV", default=False)
DEBUG = env.switch("DEBUG", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).absolute()
if DEVELOPMENT:
    make_private(DATA_DIR)

SECRET_KEY, ACCESS_KEY, APP_SECRET = secret_store.load(DATA_DIR, create=DEVELOPMENT)

PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", default=["loopback"] if DEVELOPMENT else [])
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
ADMIN_PATH = env.str("ADMIN_PATH", default="admin/" if DEVELOPMENT else "")
ROOM_CREATION = env.one_of("ROOM_CREATION", "anyone", "staff")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
HISTORY_DAYS = env.float("HISTORY_DAYS", default=30)
ROOM_DAYS = env.float("ROOM_DAYS", default=0)
FRAME_ANCESTORS = env.list("FRAME_ANCESTORS", default=[])

# --- Presence (seconds) -------------------------------------------------------------------------

PEER_GRACE = env.float("PEER_GRACE", default=60)
LEASE_TTL = env.float("LEASE_TTL", default=15)
HEARTBEAT_INTERVAL = env.float("HEARTBEAT_INTERVAL", default=5)
REAPER_INTERVAL = env.float("REAPER_INTERVAL", default=2)
POSITION_CHECK_INTERVAL = env.float("POSITION_CHECK_INTERVAL", default=5)
SESSION_LINGER = env.float("SESSION_LINGER", default=0)
DRAIN_SECONDS = env.float("DRAIN_SECONDS", default=10)

# --- Limits -------------------------------------------------------------------------------------

MAX_VALUE_BYTES = env.int("MAX_VALUE_BYTES", default=16 * 1024)
MAX_STORE_BYTES = env.int("MAX_STORE_BYTES", default=256 * 1024)
MAX_KEYS = env.int("MAX_KEYS", default=256)
MAX_KEYS_EVER = env.int("MAX_KEYS_EVER", default=1000)
MAX_KEY_BYTES = env.int("MAX_KEY_BYTES", default=128)
MAX_MESSAGE_CHARS = env.int("MAX_MESSAGE_CHARS", default=4000)
MAX_NAME_CHARS = env.int("MAX_NAME_CHARS", default=100)
MAX_PEER_METADATA_BYTES = env.int("MAX_PEER_METADATA_BYTES", default=4 * 1024)
MAX_USER_ID_CHARS = env.int("MAX_USER_ID_CHARS", default=128)
MAX_FRAME_BYTES = env.int("MAX_FRAME_BYTES", default=64 * 1024)
MAX_ROOM_PEERS = env.int("MAX_ROOM_PEERS", default=2500)
MAX_PEERS_PER_OWNER = env.int("MAX_PEERS_PER_OWNER", default=20)
KEPT_MESSAGES = env.int("KEPT_MESSAGES", default=1000)
MAX_UNSENT_BYTES = env.int("MAX_UNSENT_BYTES", default=1024 * 1024)
MAX_UNSENT_SECONDS = env.float("MAX_UNSENT_SECONDS", default=10)
HANDSHAKE_SECONDS = env.float("HANDSHAKE_SECONDS", default=10)

# Requests a second and at once: of one peer, and of one address (new sockets; tokens and rooms).
RATE_LIMIT = env.float("RATE_LIMIT", default=10)
RATE_BURST = env.int("RATE_BURST", default=30)
CONNECT_RATE = env.float("CONNECT_RATE", default=50)
CONNECT_BURST = env.int("CONNECT_BURST", default=1000)
TOKEN_RATE = env.float("TOKEN_RATE", default=10)
TOKEN_BURST = env.int("TOKEN_BURST", default=200)

# --- Journal and delivery -----------------------------------------------------------------------

JOURNAL_EVENTS = env.int("JOURNAL_EVENTS", default=256)
JOURNAL_SECONDS = env.float("JOURNAL_SECONDS", default=120)
JOURNAL_MAX_EVENTS = env.int("JOURNAL_MAX_EVENTS", default=10_000)
JOURNAL_MAX_BYTES = env.int("JOURNAL_MAX_BYTES", default=16 * 1024 * 1024)
CLIENT_ID_SECONDS = env.float("CLIENT_ID_SECONDS", default=300)
COALESCE_MS = env.float("COALESCE_MS", default=4)
FAST_PATH = env.switch("FAST_PATH", default=True)

# --- Django -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rooms",
]

MIDDLEWARE = [
    "rooms.logs.RequestIds",
    "rooms.api.health.Probes",
    "django.middleware.security.SecurityMiddleware",
    "rooms.middleware.SecurityHeaders",
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
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

database_url = env.url_of("DATABASE_URL", "postgres", "postgresql", "sqlite")
if database_url:
    database = env.db_url_config(database_url)
else:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "db.sqlite3")}
DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMBEDDED = "sqlite" in database["ENGINE"]
if EMBEDDED:
    database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # NORMAL: a commit survives the death of the process, the last ones not a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=8000",
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
            "max_size": env.int("DATABASE_POOL", default=8),
            "timeout": 5,
            # Left to itself the pool tries again ever less often, and a process whose pool sleeps looks dead to those
            # that found the database again. Having given up, it tries anew for the next caller.
            "reconnect_timeout": 4,
        },
    }

REDIS_URL = env.url_of("REDIS_URL", "redis", "rediss", "unix")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEVELOPMENT
WHITENOISE_ALLOW_ALL_ORIGINS = True  # other sites may import the script modules
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

SECURE = PUBLIC_URL.startswith("https://")
COOKIE_PREFIX = env.str("COOKIE_PREFIX", default="")
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid", f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)
SECURE_SSL_REDIRECT = env.switch("SECURE_SSL_REDIRECT", default=False)
# Whether other hosts of the domain are https is not for this server to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CSRF_FAILURE_VIEW = "rooms.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"hide_tokens": {"()": "rooms.logs.HideTokens"}, "bugs": {"()": "rooms.logs.BugsOnly"}},
    "formatters": {"line": {"()": "rooms.logs.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["hide_tokens"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "django.request": {"filters": ["bugs"]},
        "daphne": {"level": "WARNING"},
        # Started by hand, uvicorn would write tokens to handlers of its own.
        **{
            name: {"handlers": ["stderr"], "propagate": False}
            for name in ("uvicorn", "uvicorn.access", "uvicorn.error")
        },
    },
}
