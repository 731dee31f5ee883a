from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SiteConfig(AppConfig):
    name = "mled_site"
    verbose_name = "MLED"


class MledAdminConfig(AdminConfig):
    default_site = "mled_site.admin.MledAdminSite"
