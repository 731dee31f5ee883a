"""MLED's settings: one file, sections in a fixed order, every deploy value from the environment."""

import os
import sys
from pathlib import Path

from csp.constants import NONE, SELF

from mled_site.environment import JOINED, Environment, read_joined
from mled_site.secrets import checked, kept_secret
from mled_site.supervise.broker import choose_broker

env = Environment()

# --- Where things are -------------------------------------------------------------------------------------------------
BASE_DIR = Path(__file__).resolve().parent.parent
# One directory that holds everything of an installation: SQLite, files, keys, broker.
MLED_DATA = Path(env("MLED_DATA", default=str(BASE_DIR / "var"))).resolve()
MLED_DATA.mkdir(parents=True, exist_ok=True)
read_joined(MLED_DATA)
MLED_JOINED = JOINED
MLED_VERSION = "0.1.0"
MLED_HOST = env("MLED_HOST", default="127.0.0.1")
MLED_PORT = env.int("MLED_PORT", default=8000)

# --- Safety -----------------------------------------------------------------------------------------------------------
DEBUG = env.bool("MLED_DEBUG", default=False)
SECRET_KEY = checked(env("MLED_SECRET_KEY", default=""), name="MLED_SECRET_KEY") or kept_secret(
    MLED_DATA / "keys" / "secret_key"
)
SECRET_KEY_FALLBACKS = env.list("MLED_SECRET_KEY_FALLBACKS", default=[])  # earlier ones that still open things
MLED_SECRETS_KEYS = env.list("MLED_SECRETS_KEYS", default=[])  # of jobs' secrets, in place of those from SECRET_KEY
MLED_URL = env("MLED_URL", default="")  # as people reach it, e.g. https://mled.example.org
MLED_HTTPS = MLED_URL.startswith("https://")
ALLOWED_HOSTS = env.list("MLED_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [MLED_URL] if MLED_URL else []
CSRF_FAILURE_VIEW = "mled_site.errors.csrf_failure"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if MLED_HTTPS else None
SECURE_SSL_REDIRECT = False  # the MLflow door never redirects: a 301 turns a POST into a GET
SECURE_HSTS_SECONDS = 31_536_000 if MLED_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = MLED_HTTPS
SECURE_HSTS_PRELOAD = MLED_HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MLED_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "mled_session", "mled_csrf"
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # see SECURE_SSL_REDIRECT
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-src": [SELF],  # files that could run scripts, in a sandbox of their own (artifacts/pages/shelf_urls.py)
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

# --- Apps -------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "mled_site.apps.SiteConfig",
    "audit.ledger",
    "accounts",
    "artifacts",
    "experiments",
    "registry",
    "runner",
    "audit.compliance",
    "mlflow_api",
    "transfer",
    "boards",
    "mled_site.apps.MledAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "mled_site.static.MledStaticFilesConfig",
    "allauth",
    "allauth.account",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "guardian",
    "rest_framework",
    "simple_history",
]
MIDDLEWARE = [
    "mled_site.middleware.MachineDoors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.ActorMiddleware",
    "mled_site.errors.ErrorPages",
]
ROOT_URLCONF = "mled_site.urls"
WSGI_APPLICATION = "mled_site.wsgi.application"
APPEND_SLASH = True
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
                "accounts.pages.context.shell",
            ]
        },
    }
]

# --- Database ---------------------------------------------------------------------------------------------------------
_SQLITE = {
    "timeout": 30,
    "transaction_mode": "IMMEDIATE",
    # FULL: an acknowledged write survives power loss. 8 MB of pages: each thread of each process has a connection, and
    # searches of 50,000 runs take as long with 32 (docs/operate.md, Memory).
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000; "
    "PRAGMA foreign_keys=ON; PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;",
}
# A page is read in milliseconds; compiling its plan or starting workers for it takes 50, and with workers at hand the
# server read a million runs to find 200 of them. Looking a row up costs hardly more than reading on: what is asked for
# lies in memory or on a solid-state disk.
_PLANS = {"jit": "off", "max_parallel_workers_per_gather": "0", "random_page_cost": "1.1"}
DATABASES = {"default": env.database(default=f"sqlite:///{MLED_DATA / 'mled.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "mled_site.databases.sqlite"  # writers take turns
    DATABASES["default"]["OPTIONS"] = _SQLITE
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    _kept_by_server = env.bool("MLED_DB_PREPARE", default=True)
    _options = DATABASES["default"].get("OPTIONS", {})
    DATABASES["default"]["OPTIONS"] = {
        **_options,
        "pool": {"min_size": 1, "max_size": env.int("MLED_DB_POOL", default=16), "timeout": 20},
        "server_side_binding": False,
        # Django prepares nothing, and without this what asks for it is not prepared either. Only what asks is: the
        # statements of hot paths, whose planning takes the server ten times as long as running them.
        "prepare_threshold": 2**31 if _kept_by_server else None,
    }
    if _kept_by_server:  # poolers that give each transaction another connection refuse these, too
        _plans = " ".join(f"-c {name}={value}" for name, value in _PLANS.items())
        DATABASES["default"]["OPTIONS"]["options"] = f"{_plans} {_options.get('options', '')}".strip()
# A search, a count or the data of a page is stopped then and told so, on either database.
MLED_SEARCH_SECONDS = env.float("MLED_SEARCH_SECONDS", default=10.0) or 24 * 3600.0  # 0: as good as never
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People -----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.EmailBackend", "guardian.backends.ObjectPermissionBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "MLED: "
# Sign-ins that one address may try: an office behind one address begins its day within minutes.
ACCOUNT_RATE_LIMITS = {"login": f"{env.int('MLED_SIGN_INS_A_MINUTE', default=60)}/m/ip"}
GUARDIAN_MONKEY_PATCH_USER = False
SIMPLE_HISTORY_REVERT_DISABLED = True  # the past is for reading
ANONYMOUS_USER_NAME = None  # guardian: no row for nobody
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
globals().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env("MLED_MAIL_FROM", default="MLED <mled@localhost>")

# --- Background work --------------------------------------------------------------------------------------------------
MLED_BROKER = choose_broker(env("REDIS_URL", default=""), MLED_DATA)
CELERY_BROKER_URL = MLED_BROKER.celery_url
CELERY_BROKER_TRANSPORT_OPTIONS = MLED_BROKER.transport_options
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A message only wakes a worker: where the broker is away, the sender gives up soon and beat finds the work later.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_TASK_ALWAYS_EAGER = env.bool("MLED_TASKS_INLINE", default=False)
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "read dataset versions": {"task": "artifacts.tasks.profile_waiting_versions", "schedule": 60},
    "mail notices": {"task": "accounts.tasks.mail_notices", "schedule": 60},
    "forget answers": {"task": "accounts.tasks.forget_kept_answers", "schedule": 6 * 3600},
    "seal idle runs": {"task": "experiments.tasks.seal_idle_runs", "schedule": 600},
    "merge segments": {"task": "experiments.tasks.compact_metrics", "schedule": 60},
    "archive ended runs": {"task": "experiments.tasks.archive_ended_runs", "schedule": 3600},
    "fail silent runs": {"task": "experiments.tasks.fail_silent_runs", "schedule": 60},
    "work on sheets": {"task": "experiments.tasks.work_on_sheets", "schedule": 15},
    "carry out promotions": {"task": "registry.tasks.carry_out_promotions", "schedule": 15},
    "send to webhooks": {"task": "registry.tasks.send_due", "schedule": 60},
    "forget deliveries": {"task": "registry.tasks.forget_deliveries", "schedule": 6 * 3600},
    "find lost jobs": {"task": "runner.tasks.find_lost", "schedule": 15},
    "compare runs done again": {"task": "runner.check_recreations", "schedule": 60},
    "carry sweeps on": {"task": "runner.tasks.carry_sweeps", "schedule": 30},
    "move parked content": {"task": "artifacts.tasks.move_parked_content", "schedule": 30},
    "verify content": {"task": "artifacts.tasks.verify_content", "schedule": 3600},
    "collect content": {"task": "artifacts.tasks.collect_content", "schedule": 6 * 3600},
    "sweep broken uploads": {"task": "artifacts.tasks.sweep_broken_uploads", "schedule": 6 * 3600},
    "forget old previews": {"task": "artifacts.tasks.forget_old_previews", "schedule": 24 * 3600},
    "ask the rules": {"task": "audit.compliance.tasks.assess_stale_runs", "schedule": 15},
    "build reports": {"task": "audit.compliance.tasks.build_reports", "schedule": 15},
    "let verdicts count": {"task": "audit.compliance.tasks.apply_covered_verdicts", "schedule": 15},
    "carry transfers on": {"task": "transfer.tasks.carry_on", "schedule": 15},
    "end exports": {"task": "transfer.tasks.end_exports", "schedule": 3600},
    "say that work is done": {"task": "mled_site.tasks.sign_of_life", "schedule": 30},
    "watch the log": {"task": "audit.ledger.tasks.watch_log", "schedule": 30},
    "forget old addresses": {"task": "audit.ledger.tasks.forget_origins", "schedule": 24 * 3600},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(MLED_DATA / "beat-schedule")
MLED_TASK_THREADS = env.int("MLED_TASK_THREADS", default=4)
CACHES = {"default": MLED_BROKER.cache}
MLED_BOARD_ENTRIES_AN_HOUR = env.int("MLED_BOARD_ENTRIES_AN_HOUR", default=300)  # from one address; 0: as many as come

# --- Execution --------------------------------------------------------------------------------------------------------
# Jobs at once of the worker that `manage.py up` starts (0: it starts none), and the queues that it serves.
MLED_RUNNER_SLOTS = env.int("MLED_RUNNER_SLOTS", default=max(1, (os.cpu_count() or 1) // 2))
MLED_RUNNER_QUEUES = env.list("MLED_RUNNER_QUEUES", default=["default"])
MLED_RUNNER_NAME = env("MLED_RUNNER_NAME", default="")  # of the worker here; without it, the machine's
# What workers on other machines are told to use, where that is not what is used here.
MLED_WORKER_DATABASE_URL = env("MLED_WORKER_DATABASE_URL", default="")
MLED_WORKER_REDIS_URL = env("MLED_WORKER_REDIS_URL", default="")
MLED_WORKER_BLOBS = env("MLED_WORKER_BLOBS", default="")
# Where MLED answers, as workers reach it.
MLED_RUNNER_URL = env("MLED_RUNNER_URL", default=MLED_URL or f"http://127.0.0.1:{MLED_PORT}")

# --- REST -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mled_site.bodies.StrictJson"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "mled_site.rest.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "mled_site.schema.MledSchema",
    "EXCEPTION_HANDLER": "mled_site.rest.problem_response",
    "PAGE_SIZE": 100,
}
# Calls that one token or user may make in a minute, and one address without a good credential; 0: as many as they like.
MLED_REST_A_MINUTE = {
    "reads": env.int("MLED_REST_READS_A_MINUTE", default=6000),
    "writes": env.int("MLED_REST_WRITES_A_MINUTE", default=3000),
    "unknown": env.int("MLED_REST_UNKNOWN_A_MINUTE", default=300),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MLED",
    "VERSION": MLED_VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Lifecycle": "experiments.values.Lifecycle",
        "LifecycleAsked": "mled_site.schema_parts.LIFECYCLE_ASKED",
        "RunStatus": "experiments.values.RunStatus",
        "PromotionState": "registry.models.PromotionRequest.State",
        "DeliveryState": "registry.models.Delivery.State",
        "PromotionKind": "registry.models.PromotionRequest.Kind",
        "FindingKind": "audit.compliance.models.Finding.Kind",
        "FindingState": "audit.compliance.models.Finding.State",
        "ReviewRoundState": "audit.compliance.models.Review.State",
        "ReportKind": "audit.compliance.models.Report.Kind",
        "ReportState": "audit.compliance.models.Report.State",
        "ReportScope": "audit.compliance.models.Report.Scope",
        "LoggedModelStatus": "registry.models.LoggedModel.Status",
        "AnyRole": "accounts.rest.role_choices.ANY_ROLE",
        "RoleInProject": "accounts.rest.role_choices.ROLE_IN_PROJECT",
        "RoleByManager": "accounts.rest.role_choices.ROLE_BY_MANAGER",
        "RoleOfSite": "accounts.rest.role_choices.ROLE_OF_SITE",
        "SheetState": "experiments.models.SheetImport.State",
        "SheetRowState": "experiments.models.SheetRow.State",
        "DrawMethod": "audit.compliance.models.Draw.Method",
        "EnvironmentKind": "runner.models.Environment.Kind",
        "JobState": "runner.models.Job.State",
        "RecipeKind": "runner.models.Recipe.Kind",
        "SweepMethod": "runner.models.Sweep.Method",
        "SweepState": "runner.models.Sweep.State",
        "EntryState": "boards.models.Submission.State",
        "TransferKind": "transfer.models.Transfer.Kind",
        "TransferState": "transfer.models.Transfer.State",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "mled_site.schema.finish_schema"],
}

# --- Files ------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("MLED_STATIC_ROOT", default=str(MLED_DATA / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "woff2", "png", "gz", "br"]
MLED_BLOBS = env("MLED_BLOBS", default=str(MLED_DATA / "blobs"))  # a directory, or s3://bucket/prefix?endpoint=…
MLED_BLOBS_LOCK_DAYS = env.int("MLED_BLOBS_LOCK_DAYS", default=0)
# Files of at most so many bytes are acknowledged from the database and move to the store soon after; 0: none.
MLED_BLOBS_PARK_BYTES = env.int("MLED_BLOBS_PARK_BYTES", default=16 * 1024)
MLED_BLOBS_GRACE_HOURS = env.int("MLED_BLOBS_GRACE_HOURS", default=7 * 24)  # how long content stays without a name
MLED_EXPORTS_DAYS = env.int("MLED_EXPORTS_DAYS", default=30)  # until the files of an export go again; 0: never
# Days after which the points of an ended run move into a file; 0: never.
MLED_ARCHIVE_AFTER_DAYS = env.int("MLED_ARCHIVE_AFTER_DAYS", default=30)
MLED_MAX_UPLOAD_BYTES = env.int("MLED_MAX_UPLOAD_BYTES", default=5 * 1024**3)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
# How workers keep jobs apart: "sandbox", or "plain", by which jobs may do whatever the worker's own user may.
MLED_EXECUTOR = env("MLED_EXECUTOR", default="sandbox")
# Jobs that may use the network reach public addresses, and networks of one's own that are opened here: "10.20.0.0/16".
MLED_JOB_NETWORKS = env.list("MLED_JOB_NETWORKS", default=[])
# What a worker keeps: jobs under way, inputs, environments, mirrors of repositories. Shared with nobody.
MLED_RUNNER_DATA = env("MLED_RUNNER_DATA", default=str(MLED_DATA / "runner"))
MLED_RUNNER_CACHE_BYTES = env.int("MLED_RUNNER_CACHE_BYTES", default=50 * 1024**3)  # of inputs, and again of packages
MLED_RUNNER_CACHE_DAYS = env.int("MLED_RUNNER_CACHE_DAYS", default=14)  # what was not used for so long goes
# How workers may reach repositories of code; an operator may add http, git or file.
MLED_GIT_WAYS = env.list("MLED_GIT_WAYS", default=["https", "ssh"])
MLED_GIT_MB = env.int("MLED_GIT_MB", default=20_000)  # megabytes that a worker fetches of one repository
# Where workers take images from: any public registry, or only those that are named here, which may lie in a closed
# network: "docker.io,registry.example.org:5000"; one named with http:// is asked without TLS.
MLED_IMAGE_REGISTRIES = env.list("MLED_IMAGE_REGISTRIES", default=[])
MLED_IMAGE_MB = env.int("MLED_IMAGE_MB", default=20_000)  # megabytes that an image may take, unpacked
# The diagnosis warns where less room than this is left on a disk.
MLED_LEAST_FREE_BYTES = env.int("MLED_LEAST_FREE_BYTES", default=2 * 1024**3)

# --- Webhooks ---------------------------------------------------------------------------------------------------------
# Messages go to public addresses only, unless networks of one's own are opened here: "10.20.0.0/16,fd00:20::/32".
MLED_WEBHOOK_ALLOW_NETWORKS = env.list("MLED_WEBHOOK_ALLOW_NETWORKS", default=[])
# Servers of MLflow that people may import from, as https://user:password@host where they ask for one.
MLED_IMPORT_FROM = env.list("MLED_IMPORT_FROM", default=[])
MLED_WEBHOOK_DAYS = env.int("MLED_WEBHOOK_DAYS", default=90)  # that messages stay after their end; 0: for ever
MLED_WEBHOOK_CA = env("MLED_WEBHOOK_CA", default="")  # a file with certificates of authorities beside the system's

# --- Words and times --------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- Ledger -----------------------------------------------------------------------------------------------------------
MLED_LEDGER_ORIGIN = env("MLED_LEDGER_ORIGIN", default="mled.local/log")
MLED_SIGNING_KEY = env("MLED_SIGNING_KEY", default="")
MLED_ANCHORS = env.list("MLED_ANCHORS", default=["file"])  # where signed heads are kept beside the database

# --- Logs -------------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "mled_site.log_lines.Line", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("MLED_LOG_LEVEL", default="WARNING")},
    # Refusals are part of a protocol's ordinary talk ("no such experiment": then the client makes it). Bugs are not.
    "loggers": {"django.request": {"level": "ERROR"}},
}
