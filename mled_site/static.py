"""Which static files are served: not the sources of our bundle, not maps, not pages of packages that we replaced."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class MledStaticFilesConfig(StaticFilesConfig):
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.map", "src", "*.mjs", "made-from", "rest_framework"]
