"""The way to the API server: JSON, one attempt a call, each with a time; what fails becomes a sentence.

The official client knows where the server is and who we are. Its models aren't used: they refuse what a newer server
may say, and of a pod only six fields are wanted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3 import exceptions as http

from doorbuster_operator.ports import ClusterUnavailable, Json

FIELD_MANAGER = "doorbuster-operator"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
SHOWN_CHARACTERS = 300
# More than threads that ask.
MOST_CONNECTIONS = 16

Document = Mapping[str, Json]


class ObjectMissing(ClusterUnavailable):
    """The API server knows no such object, or no such kind."""


class ObjectChanged(ClusterUnavailable):
    """Somebody else has made or changed the object meanwhile."""


class PatchUnfit(ClusterUnavailable):
    """The object isn't as a patch expects it, or would make no sense with it."""


# What the API server means by a status.
PROBLEMS = {
    HTTPStatus.NOT_FOUND: ObjectMissing,
    HTTPStatus.CONFLICT: ObjectChanged,
    HTTPStatus.UNPROCESSABLE_ENTITY: PatchUnfit,
}


class ClusterApi:
    """The API server. May be asked from several threads."""

    def __init__(self, api: client.ApiClient, *, request_seconds: float) -> None:
        """Take the official client.

        Args:
            api: configured.
            request_seconds: longest time of one request.
        """
        self._api = api
        self._seconds = request_seconds

    def read(self, path: str, *, query: Mapping[str, str] | None = None) -> Document:
        """Return an object or a list.

        Raises:
            ObjectMissing: there is none.
            ClusterUnavailable: anything else.
        """
        return self._call("GET", path, query=query)

    def create(self, path: str, body: Document) -> Document:
        """Make an object; the path is that of its list.

        Raises:
            ObjectChanged: there is one of that name.
            ClusterUnavailable: anything else.
        """
        return self._call("POST", path, body=body, content_type="application/json")

    def replace(self, path: str, body: Document) -> Document:
        """Write an object as a whole; its resourceVersion makes the API server compare first.

        Raises:
            ObjectChanged: it isn't the newest any more.
            ObjectMissing: there is none.
            ClusterUnavailable: anything else.
        """
        return self._call("PUT", path, body=body, content_type="application/json")

    def patch(self, path: str, body: Document) -> Document:
        """Write the given fields of an object, and remove those that are null.

        Raises:
            ObjectMissing: there is none.
            ClusterUnavailable: anything else.
        """
        return self._call("PATCH", path, body=body, content_type=MERGE_PATCH)

    def patch_in_steps(self, path: str, steps: Sequence[Document]) -> Document:
        """Test and write fields of an object, all or nothing (RFC 6902).

        Raises:
            PatchUnfit: a test failed.
            ObjectChanged: it was changed at the same time.
            ObjectMissing: there is none.
            ClusterUnavailable: anything else.
        """
        return self._call("PATCH", path, body=list(steps), content_type=JSON_PATCH)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Document | Sequence[Document] | None = None,
        content_type: str = "",
    ) -> Document:
        what = f"{method} {path}"
        with _told_in_a_sentence(what):
            manager = {"fieldManager": FIELD_MANAGER} if body is not None else {}
            request = self._api.param_serialize(  # type: ignore[attr-defined]  # the stubs leave it out
                method,
                path,
                query_params=[*(query or {}).items(), *manager.items()],
                header_params={"Accept": "application/json"} | ({"Content-Type": content_type} if body else {}),
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = self._api.call_api(  # type: ignore[attr-defined]  # as above
                *request, _request_timeout=self._seconds
            )
            content: bytes = answer.read()
        return _document(what, answer.status, content)


@contextmanager
def connected(kubeconfig: Path | None, *, request_seconds: float) -> Iterator[ClusterApi]:
    """Yield the way to the API server; its connections are closed when the block ends.

    Args:
        kubeconfig: says where the API server is; None means the pod's service account.
        request_seconds: longest time of one request.

    Raises:
        ClusterUnavailable: nothing says where it is.
    """
    api = client.ApiClient(_configuration(kubeconfig))
    try:
        yield ClusterApi(api, request_seconds=request_seconds)
    finally:
        api.close()  # type: ignore[attr-defined]  # the stubs leave it out


def object_path(prefix: str, namespace: str, kind: str, *names: str) -> str:
    """Return the path of a list, or with names of an object and its subresource.

    Args:
        prefix: of the kind's group, like `/api/v1`.
        namespace: where the object is.
        kind: plural.
        names: of the object, and of the subresource.
    """
    return "/".join((prefix, "namespaces", *(quote(part, safe="") for part in (namespace, kind, *names))))


def mapping_at(document: Document, *names: str) -> Document:
    """Return the mapping at a place in a document; an empty one where there is none."""
    for name in names:
        inner = document.get(name)
        document = inner if isinstance(inner, Mapping) else {}
    return document


def mappings_at(document: Document, name: str) -> Sequence[Document]:
    """Return the list of mappings of that name; an empty one where there is none."""
    inner = document.get(name)
    if not isinstance(inner, Sequence) or isinstance(inner, str):
        return ()
    return [each for each in inner if isinstance(each, Mapping)]


def _configuration(kubeconfig: Path | None) -> client.Configuration:
    configuration = client.Configuration()
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(
                config_file=str(kubeconfig), client_configuration=configuration, persist_config=False
            )
    except (ConfigException, OSError) as error:
        raise ClusterUnavailable(f"Where the API server is can't be read: {error}") from error
    # The next tick is the next attempt.
    configuration.retries = 0
    configuration.connection_pool_maxsize = MOST_CONNECTIONS  # type: ignore[attr-defined]  # the stubs leave it out
    return configuration


@contextmanager
def _told_in_a_sentence(what: str) -> Iterator[None]:
    """Turn what the connection raises into errors with a sentence.

    The texts of the libraries hold addresses of objects, so that each would look like another problem.
    """
    try:
        yield
    except http.MaxRetryError as error:
        raise _unanswered(what, error.reason) from error
    except (http.HTTPError, OSError) as error:
        raise _unanswered(what, error) from error
    except ApiException as error:
        raise ClusterUnavailable(f"The API server can't be trusted with {what}: {error.reason}") from error


def _unanswered(what: str, cause: Exception | None) -> ClusterUnavailable:
    late = isinstance(cause, http.TimeoutError | TimeoutError) and not isinstance(cause, http.NewConnectionError)
    return ClusterUnavailable(f"The API server doesn't answer {what}{' in time' if late else ''}.")


def _document(what: str, status: int, content: bytes) -> Document:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        kind = next((kind for code, kind in PROBLEMS.items() if code == status), ClusterUnavailable)
        message = document.get("message") if isinstance(document, dict) else None
        said = f": {str(message)[:SHOWN_CHARACTERS]}" if message else "."
        raise kind(f"The API server answers {what} with status {status}{said}")
    if not isinstance(document, dict):
        raise ClusterUnavailable(f"The API server's answer to {what} is no object.")
    return document
