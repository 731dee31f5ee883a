"""Large files in numbered parts, and downloads past us, as clients ask for them where `server-info` offers it.

A part goes to an address of its own: at the store itself where clients reach it, else here. The client sends parts
without its token, so an address of ours is signed; it works as long as the token behind it does.
"""

from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.http import HttpResponse

from accounts.access import require
from accounts.authentication import actor_for_token_id
from artifacts.actions.uploads import (
    UPLOAD,
    begin_numbered_upload,
    drop_upload,
    finish_numbered_upload,
    send_numbered_part,
)
from artifacts.incoming import Body, announced_length
from artifacts.paths import checked_folder, checked_path
from artifacts.queries.uploads import finished_blobs, get_upload
from artifacts.quotas import count_outlives_refusal
from artifacts.storage import StoredBlob, blobs
from kernel.actor import Door
from kernel.errors import NotFound, NotServed, Unauthenticated
from mlflow_api.calls import Call, Reply
from mlflow_api.endpoints.proxy import located
from mlflow_api.messages import requests as ask

PART_PATH: Final = "2.0/mlflow-artifacts/mpu/part/{upload_id}/{number}"
_SALT: Final = "mlflow_api.multipart"
_GOOD_SECONDS: Final = 24 * 3600


def create(call: Call, asked: ask.CreateParts) -> Reply:
    """Begin a file in parts: the answer has an address for each."""
    _refuse_jobs(call)
    kind, owner, path = located(call, _target(call, asked.path))
    kind.expect(call.actor, owner, path)
    upload = begin_numbered_upload(call.actor, call.project, part_count=asked.num_parts, purpose=path)
    links = [_part_link(call, upload, number) for number in range(1, asked.num_parts + 1)]
    credentials = [{"url": url, "part_number": number, "headers": {}} for number, url in enumerate(links, start=1)]
    return {"upload_id": upload.id.hex, "credentials": credentials}


def send_part(call: Call) -> Reply:
    """Take in one part at its signed address."""
    upload_id, number = call.named["upload_id"], call.named["number"]
    actor = _signer(call, upload_id, number)
    length = announced_length(call.request)
    upload = get_upload(actor, upload_id)
    part = send_numbered_part(actor, upload, number=number, incoming=Body(call.request), expected=length)
    return HttpResponse(headers={"ETag": f'"{part.name}-{part.size_bytes}"'})


def complete(call: Call, asked: ask.CompleteParts) -> Reply:
    """Make one file of the parts and put it at its path."""
    kind, owner, path = located(call, _target(call, asked.path))
    kind.expect(call.actor, owner, path)
    upload = get_upload(call.actor, asked.upload_id)
    if upload.purpose != path:
        raise NotFound(f"There is no upload to '{path[:200]}' with this id.", field="upload_id")
    finish_numbered_upload(call.actor, upload, numbers=sorted(part.part_number for part in asked.parts))
    (stored,) = finished_blobs(call.actor, call.project, [upload.pk])
    with count_outlives_refusal(owner.project_id):
        kind.put(call.actor, owner, path=path, stored=stored)
    return None


def abort(call: Call, asked: ask.AbortParts) -> Reply:
    """Give the parts up. What is given up already, or was never begun, is no error: the client clears away."""
    located(call, _target(call, asked.path))
    require(call.actor, UPLOAD, call.project)
    try:
        drop_upload(call.actor, get_upload(call.actor, asked.upload_id))
    except NotFound:
        return None
    return None


def presigned(call: Call) -> Reply:
    """An address at the store itself, from which the client fetches a file in ranges."""
    _refuse_jobs(call)
    kind, owner, path = located(call, checked_path(call.named["path"]))
    if not blobs().is_direct:
        raise NotServed("Files are fetched from this server, by plain GET.", hint="Clients fall back to it.")
    file, reader = kind.open(call.actor, owner, path)
    reader.close()
    link = blobs().download_link(StoredBlob(file.blob_id, file.size_bytes), path.rpartition("/")[2])
    return {"url": link, "headers": {}, "file_size": file.size_bytes}


def _refuse_jobs(call: Call) -> None:
    """A job reaches MLED and nothing else: its files go and come whole, through us."""
    if call.actor.is_job:
        raise NotServed("A job's files go through this server, each in one piece.", hint="Clients fall back to it.")


def _target(call: Call, local_file: str) -> str:
    """Where the file shall lie: its own name in the folder of the address. local_file: its path at the sender."""
    windows = local_file[1:3] == ":\\" or local_file.startswith("\\\\")
    name = local_file.rpartition("\\" if windows else "/")[2]
    folder = checked_folder(call.named["path"])
    return checked_path(f"{folder}/{name}")


def _part_link(call: Call, upload: Any, number: int) -> str:
    direct = blobs().part_link(upload.storage_key, str(number))
    if direct is not None:
        return direct
    path = PART_PATH.format(upload_id=upload.id.hex, number=number)
    token = call.actor.token
    signature = signing.dumps([upload.id.hex, str(number), token.id.hex if token else ""], salt=_SALT)
    return call.request.build_absolute_uri(f"/api/{path}?signature={signature}")


def _signer(call: Call, upload_id: str, number: str) -> Any:
    """Who was given this address. Raises Unauthenticated where it was not signed here, or too long ago."""
    try:
        signed = signing.loads(call.request.GET.get("signature", ""), salt=_SALT, max_age=_GOOD_SECONDS)
    except signing.BadSignature:
        signed = None
    if not signed or signed[:2] != [upload_id, number] or not signed[2]:
        raise Unauthenticated("This address was not given out here, or too long ago.", hint="Begin the upload anew.")
    client, ip = call.request.META.get("HTTP_USER_AGENT", "")[:200], call.request.META.get("REMOTE_ADDR", "")
    request_id = getattr(call.request, "request_id", "")
    return actor_for_token_id(UUID(signed[2]), Door.MLFLOW, request_id=request_id, client=client, ip=ip)
