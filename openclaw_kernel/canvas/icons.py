"""The icons of the basic catalogue as lines on a 16 pixel grid, for pages that may load nothing."""

from __future__ import annotations

_BELL = "M4 11V7.5a4 4 0 0 1 8 0V11l1.2 1.5H2.8zM6.8 14.2h2.4"
_EYE = (
    "M1.8 8C3.4 5.2 5.5 3.8 8 3.8S12.6 5.2 14.2 8c-1.6 2.8-3.7 4.2-6.2 4.2S3.4 10.8 1.8 8zM6.2"
    " 8a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0-3.6 0"
)
_HEART = "M8 13.3C4.4 10.6 2.5 8.6 2.5 6.2a2.8 2.8 0 0 1 5.5-.9a2.8 2.8 0 0 1 5.5.9c0 2.4-1.9 4.4-5.5 7.1z"
_PHONE = "M4 2.5h2l1 3-1.4 1a7.5 7.5 0 0 0 3.9 3.9l1-1.4 3 1v2c0 .8-.6 1.5-1.5 1.5C6.5 13.5 2.5 9.5 2.5 4c0-.9.7-1.5 1.5-1.5z"
_SPEAKER = "M2.5 6.2h2.3L8 3.5v9L4.8 9.8H2.5z"
_STAR = "M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4L2.2 6.5l4-.6z"
_LOCK = "M3.5 7.2h9v6.3h-9z"
_CALENDAR = "M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v2.5M10.5 2v2.5"
_RING = "M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2z"
_SLASH = "M2.5 2.5l11 11"

ICON_PATHS: dict[str, str] = {
    "accountCircle": f"{_RING}M5.8 6.5a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0M4.2 12.5c.7-1.7 2-2.5 3.8-2.5s3.1.8 3.8 2.5",
    "add": "M8 3v10M3 8h10",
    "arrowBack": "M13 8H3.5M7.5 4l-4 4 4 4",
    "arrowForward": "M3 8h9.5M8.5 4l4 4-4 4",
    "attachFile": "M11.5 5.5l-5 5a1.5 1.5 0 0 1-2.1-2.1l5.5-5.5a2.6 2.6 0 0 1 3.7 3.7L8 12.2",
    "calendarToday": f"{_CALENDAR}M5.2 9h2v2h-2z",
    "call": _PHONE,
    "camera": "M2 5h3l1-1.8h4L11 5h3v8H2zM5.8 8.8a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0",
    "check": "M3 8.5l3.2 3.2L13 4.8",
    "close": "M4 4l8 8M12 4l-8 8",
    "delete": "M3 4.5h10M6 4.5V3h4v1.5M4.2 4.5l.7 9h6.2l.7-9M6.8 7v4M9.2 7v4",
    "download": "M8 2.5v8M4.8 7.5L8 10.7l3.2-3.2M3 13.5h10",
    "edit": "M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4zM9.5 4.3l2.2 2.2",
    "event": f"{_CALENDAR}M8.5 9h2.5v2.5H8.5z",
    "error": f"{_RING}M8 5v3.6M8 11v.1",
    "fastForward": "M2.5 4v8l5.5-4zM8 4v8l5.5-4z",
    "favorite": _HEART,
    "favoriteOff": f"{_HEART}{_SLASH}",
    "folder": "M2 4h4l1.3 1.5H14v7H2z",
    "help": f"{_RING}M6.2 6.3a1.8 1.8 0 1 1 2.5 1.7c-.5.3-.7.6-.7 1.2M8 11.3v.1",
    "home": "M2.5 8L8 3l5.5 5M4 7v6.5h8V7M6.8 13.5V10h2.4v3.5",
    "info": f"{_RING}M8 7.4V11M8 5v.1",
    "locationOn": (
        "M8 14c-2.8-3.2-4.2-5.5-4.2-7.5a4.2 4.2 0 0 1 8.4 0c0 2-1.4 4.3-4.2 7.5zM6.5 6.5a1.5 1.5 0"
        " 1 0 3 0a1.5 1.5 0 1 0-3 0"
    ),
    "lock": f"{_LOCK}M5.5 7.2V5a2.5 2.5 0 0 1 5 0v2.2",
    "lockOpen": f"{_LOCK}M5.5 7.2V5a2.5 2.5 0 0 1 4.8-1",
    "mail": "M2 3.8h12v8.4H2zM2 4.5l6 4.5 6-4.5",
    "menu": "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
    "moreVert": "M8 3.5v.1M8 8v.1M8 12.5v.1",
    "moreHoriz": "M3.5 8h.1M8 8h.1M12.5 8h.1",
    "notificationsOff": f"{_BELL}{_SLASH}",
    "notifications": _BELL,
    "pause": "M5.5 3.5v9M10.5 3.5v9",
    "payment": "M2 4h12v8.5H2zM2 6.8h12M4 10h3",
    "person": "M5.5 5.2a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M3 13.5c.5-2.8 2.2-4.2 5-4.2s4.5 1.4 5 4.2",
    "phone": _PHONE,
    "photo": "M2.5 3h11v10h-11zM2.5 11l3.3-3.5 2.7 2.7 1.7-1.7 3.3 3.2M9.8 5.8h.1",
    "play": "M5 3.2v9.6L12.5 8z",
    "print": "M4.5 6V2.5h7V6M4.5 11H2.5V6h11v5h-2M4.5 9.5h7v4h-7z",
    "refresh": "M13 8a5 5 0 1 1-1.5-3.5M13 2.5v3h-3",
    "rewind": "M13.5 4v8L8 8zM8 4v8L2.5 8z",
    "search": "M3 7a4 4 0 1 0 8 0a4 4 0 1 0-8 0M10 10l3.5 3.5",
    "send": "M2.5 3l11.5 5-11.5 5 1.8-5zM4.3 8H14",
    "settings": "M2 4.5h6M11 4.5h3M8 3v3M2 8h1.5M6.5 8H14M6.5 6.5v3M2 11.5h7M12 11.5h2M9 10v3",
    "share": (
        "M10 4.5a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0M2.6 8A1.7 1.7 0 1 0 6 8a1.7 1.7 0 1 0-3.4"
        " 0M10 11.5a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0M5.8 7.3l4.4-2.1M5.8 8.7l4.4 2.1"
    ),
    "shoppingCart": "M1.8 3h1.7l1.7 7h7l1.3-5H4M6 13h.1M11.5 13h.1",
    "skipNext": "M4 3.5v9L10.5 8zM12 3.5v9",
    "skipPrevious": "M12 3.5v9L5.5 8zM4 3.5v9",
    "star": _STAR,
    "starHalf": f"{_STAR}M8 2.2v9.2",
    "starOff": f"{_STAR}{_SLASH}",
    "stop": "M4 4h8v8H4z",
    "upload": "M8 10.5v-8M4.8 5.7L8 2.5l3.2 3.2M3 13.5h10",
    "visibility": _EYE,
    "visibilityOff": f"{_EYE}{_SLASH}",
    "volumeDown": f"{_SPEAKER}M10 6.2c.9 1 .9 2.6 0 3.6",
    "volumeMute": _SPEAKER,
    "volumeOff": f"{_SPEAKER}M10.5 6.2l3.5 3.6M14 6.2l-3.5 3.6",
    "volumeUp": f"{_SPEAKER}M10 6.2c.9 1 .9 2.6 0 3.6M11.8 4.5c1.9 2 1.9 5 0 7",
    "warning": "M8 2.5l6.2 11H1.8zM8 6.5v3.3M8 11.7v.1",
}  # fmt: skip
