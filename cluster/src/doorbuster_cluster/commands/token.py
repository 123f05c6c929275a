"""`make token USER=1`: a token of a user of the local cluster, for trying the API out."""

import http.client
import json
import urllib.error
import urllib.request

from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.settings import Settings

PATH = "/dev/issuer/tokens"
ASK_SECONDS = 10.0
HINT = "`make up` brings the development issuer, `make status` shows whether it runs"


def token_of(settings: Settings, user: int) -> str:
    """Return a new token of the user, from the development issuer behind the ingress.

    Args:
        settings: name the ingress' port.
        user: the user's id.

    Raises:
        ClusterError: nobody answers, or the issuer refuses.
    """
    url = f"http://127.0.0.1:{settings.port}{PATH}"
    body = json.dumps({"user_id": user}).encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    # Straight to loopback, whatever proxy the environment names for the rest of the world.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ASK_SECONDS) as answer:
            return str(json.load(answer)["token"])
    except urllib.error.HTTPError as exc:
        with exc:
            raise ClusterError(f"the issuer at {url} answers {exc.code}", hint=HINT) from exc
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as exc:
        raise ClusterError(f"nobody hands out tokens at {url}: {exc}", hint=HINT) from exc
