"""What records answers and follows: load, decide, save, announce, reply."""

from services.records.handlers import (
    activity,
    documents,
    emergency,
    exports,
    health,
    imports,
    patients,
    results,
    sending,
    shared,
    standing,
    uploads,
)

routers = (
    patients.router,
    health.router,
    results.router,
    documents.router,
    uploads.router,
    imports.router,
    activity.router,
    emergency.router,
    exports.router,
    sending.router,
    shared.router,
    standing.router,
)
