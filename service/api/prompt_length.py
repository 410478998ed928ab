"""Prompt length: how long a text a model may be given, by the settings and by its feeding speed."""

from service.error_answers import bad_request
from service.models.served_model import LoadedModel
from service.settings import Settings, variable_name


def longest_prompt(settings: Settings, model: LoadedModel) -> int:
    """Characters of the longest prompt that a model takes, at least one.

    As many as are fed in `max_prompt_seconds`, in two digits, since the speed was measured; never
    more than `max_prompt`. A token is taken for one character, where it may be several.
    """
    in_time = settings.max_prompt_seconds * model.feeding_speed
    if in_time >= settings.max_prompt:
        return settings.max_prompt
    unit: int = 10 ** max(0, len(str(int(in_time))) - 2)
    return max(1, int(in_time) // unit * unit)


def require_prompt_fits(
    settings: Settings, model: LoadedModel, length: int, field: str = "prompt"
) -> None:
    """Refuse a text of so many characters, or tokens, that is too long. Raises ApiError."""
    most = longest_prompt(settings, model)
    setting = "max_prompt_seconds" if most < settings.max_prompt else "max_prompt"
    require_fits(length, most, setting, field)


def require_fits(
    length: int, most: int, setting: str, field: str, unit: str = "characters"
) -> None:
    """Refuse a text that is longer than a setting lets it be. Raises ApiError."""
    if length > most:
        raise bad_request(
            f"{field}: has {length} {unit}, at most {most} are taken here "
            f"({variable_name(setting)})",
            param=field,
            code="prompt_too_long",
            status=413,
        )
