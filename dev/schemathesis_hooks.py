"""A media type that schemathesis does not know how to write."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    """Lines are the description's to write; this only makes bytes of them."""
    return {"data": value if isinstance(value, bytes) else str(value).encode("utf8", "replace")}
