"""What a handler is given of its part by name: the pool, the gate, the keys."""

from typing import Any

from fast_depends.library import CustomField
from faststream import ContextRepo


class Context(CustomField):
    """As FastStream's, but a coroutine: for anything else it goes to another thread and back."""

    def __init__(self, name: str) -> None:
        super().__init__(cast=False)
        self.name = name

    async def use(self, /, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        given: ContextRepo = kwargs["context__"]
        return kwargs | {str(self.param_name): given.resolve(self.name)}
