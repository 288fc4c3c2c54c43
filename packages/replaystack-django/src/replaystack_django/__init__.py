"""ReplayStack for Django: one middleware, for sync and async chains, and system checks of its settings.

Importing this touches neither settings nor the app registry: projects import it inside of their settings.
"""

from django.core.checks import register

from replaystack import __version__

from .checks import check_settings
from .middleware import ReplayStackDjangoMiddleware
from .options import DjangoMiddlewareOptions

__all__ = ["DjangoMiddlewareOptions", "ReplayStackDjangoMiddleware", "__version__"]

# Here and not in an AppConfig: who imports the options in settings gets the checks without INSTALLED_APPS.
register(check_settings, "replaystack")
