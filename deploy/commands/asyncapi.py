"""`carespace asyncapi`."""

import click

from deploy.commands.saying import say_json


@click.command()
def asyncapi() -> None:
    """What the services say to each other on NATS, as an AsyncAPI 3.0 document in JSON.

    It is worked out from the contracts: every request, reply and event, with who may ask, follow
    and listen.

    Example: carespace asyncapi > asyncapi.json
    """
    from deploy import asyncapi as described

    say_json(described.document())
