"""A message to a chat room or another system, as JSON over https."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from energy.ports import Context

if TYPE_CHECKING:
    from energy.http import Client


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr = Field(description="address that takes a POST of JSON; often a secret: `${WEBHOOK_URL}`")


class WebhookNotifier:
    """Posts {text, subject, site, at}; `text` alone is enough for the usual chat rooms."""

    name = "webhook"

    def __init__(self, settings: Settings, context: Context, client: "Client") -> None:
        self.url = settings.url.get_secret_value()
        self.context = context
        self.client = client

    def notify(self, subject: str, text: str) -> None:
        from energy.http import post_json

        payload = {
            "text": f"{self.context.site.name}: {subject}\n{text}",
            "subject": subject,
            "site": self.context.site.id,
            "at": self.context.clock.now().isoformat(timespec="seconds"),
        }
        post_json(self.client, self.url, payload, what="webhook")


def build(settings: Settings, context: Context) -> WebhookNotifier:
    from energy.http import client

    return WebhookNotifier(settings, context, client(proxy=context.proxy, ca_bundle=context.ca_bundle))
