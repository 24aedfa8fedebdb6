"""The gateway's own door: one tornado application at `/`."""

from __future__ import annotations

from typing import Any

from tornado.web import Application

from openclaw_gateway.http import hooks, web
from openclaw_gateway.http.channels import ROUTE as CHANNEL_ROUTE
from openclaw_gateway.http.channels import ChannelWebhook
from openclaw_gateway.http.headers import NotFound
from openclaw_gateway.http.openai import ChatCompletions, ModelList, OneModel
from openclaw_gateway.http.page import StatusPage
from openclaw_gateway.http.plugins import ROUTE as PLUGIN_ROUTE
from openclaw_gateway.http.plugins import PluginRoute
from openclaw_gateway.http.probes import Health, Ready, Startup
from openclaw_gateway.http.ws import GatewaySocket
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.protocol.hub import Hub

ROUTES: list[tuple[Any, ...]] = [
    (r"/healthz?", Health),
    (r"/readyz?", Ready),
    (r"/startupz?", Startup),
    (r"/v1/models", ModelList),
    (r"/v1/models/(.+)", OneModel),
    (r"/v1/chat/completions", ChatCompletions),
    (r"/status", StatusPage),
    (PLUGIN_ROUTE, PluginRoute),
    (CHANNEL_ROUTE, ChannelWebhook),
    *web.ROUTES,
    (r"/(?:ws|openclaw/ws|openclaw/?)?", GatewaySocket),
]


def build_application(services: GatewayServices, hub: Hub) -> Application:
    """The application of the second listener."""
    return Application(
        [*hooks.routes(services.settings.hooks.path), *ROUTES],
        default_handler_class=NotFound,
        openclaw_services=services,
        openclaw_hub=hub,
        openclaw_auth=hub.auth,
        openclaw_chat_completions=lambda: services.settings.gateway.http.endpoints.chat_completions.enabled,
        websocket_max_message_size=hub.policy.max_payload,
        log_function=lambda _handler: None,
    )
