"""Every statement about what a practice decided about its messages."""

from collections.abc import Sequence
from uuid import UUID

from libs.contracts.messaging.settings import Routing, Template
from libs.contracts.messaging.writing import Category
from libs.runtime.database import Connection
from services.messaging.domain.conversation import Route


async def lock_settings(db: Connection, practice_id: UUID) -> None:
    """Nobody else decides for this practice until the transaction ends."""
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('settings ' || $1, 0))", str(practice_id)
    )


async def list_routes(db: Connection, practice_id: UUID) -> dict[Category, Route]:
    """Where each category goes; where nothing was said, the first of everything."""
    rows = await db.fetch(
        "SELECT category, team, answer_within_hours FROM routing WHERE practice_id = $1",
        practice_id,
    )
    said = {
        Category(row["category"]): Route(
            team=row["team"], answer_within_hours=row["answer_within_hours"]
        )
        for row in rows
    }
    return {category: said.get(category, Route()) for category in Category}


async def list_teams(db: Connection, practice_id: UUID) -> list[str]:
    """The practice's teams, in their order."""
    rows = await db.fetch(
        "SELECT name FROM team WHERE practice_id = $1 ORDER BY position", practice_id
    )
    return [row["name"] for row in rows]


async def remove_teams(db: Connection, practice_id: UUID) -> None:
    """Before the practice's teams are said anew."""
    await db.execute("DELETE FROM team WHERE practice_id = $1", practice_id)


async def add_teams(db: Connection, practice_id: UUID, names: Sequence[str]) -> None:
    """The practice's teams, in this order."""
    await db.execute(
        """
        INSERT INTO team (practice_id, name, position)
        SELECT $1, name, position FROM unnest($2::text[]) WITH ORDINALITY AS t (name, position)
        """,
        practice_id,
        list(names),
    )


async def save_route(db: Connection, practice_id: UUID, route: Routing) -> None:
    """Where a category goes from now on."""
    await db.execute(
        """
        INSERT INTO routing (practice_id, category, team, answer_within_hours)
        VALUES ($1, $2, $3, $4)
            ON CONFLICT (practice_id, category)
            DO UPDATE SET team = $3, answer_within_hours = $4
        """,
        practice_id,
        route.category,
        route.team,
        route.answer_within_hours,
    )


async def list_templates(db: Connection, practice_id: UUID) -> list[Template]:
    """Prepared answers, by name."""
    rows = await db.fetch(
        """
        SELECT id AS template_id, name, words AS text
          FROM template WHERE practice_id = $1 ORDER BY name, id
        """,
        practice_id,
    )
    return [Template(**dict(row)) for row in rows]


async def save_template(db: Connection, practice_id: UUID, template: Template) -> None:
    """A prepared answer, new or in other words."""
    await db.execute(
        """
        INSERT INTO template (practice_id, id, name, words)
        VALUES ($1, $2, $3, $4)
            ON CONFLICT (practice_id, id) DO UPDATE SET name = $3, words = $4
        """,
        practice_id,
        template.template_id,
        template.name,
        template.text,
    )


async def remove_template(db: Connection, practice_id: UUID, template_id: UUID) -> None:
    """A prepared answer is gone."""
    await db.execute(
        "DELETE FROM template WHERE practice_id = $1 AND id = $2", practice_id, template_id
    )
