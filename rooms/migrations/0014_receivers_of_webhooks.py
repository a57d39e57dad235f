from urllib.parse import urlsplit

from django.db import migrations, models


def receivers_of_urls(apps, schema_editor):
    for endpoint in apps.get_model("rooms", "WebhookEndpoint").objects.exclude(url=""):
        parts = urlsplit(endpoint.url)
        endpoint.receiver = f"{parts.hostname}:{parts.port or {'http': 80}.get(parts.scheme, 443)}"
        endpoint.save(update_fields=["receiver"])


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0013_spans_of_webhooks"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="receiver",
            field=models.CharField(default="", editable=False, max_length=2010),
        ),
        migrations.RunPython(receivers_of_urls, migrations.RunPython.noop),
    ]
