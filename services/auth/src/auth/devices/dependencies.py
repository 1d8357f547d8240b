from typing import Annotated

from fastapi import Cookie, Depends, Request, Response

from auth.devices.constants import DEVICE_COOKIE, DEVICE_LIFETIME, DEVICE_TOKEN_MAX_LENGTH
from auth.devices.service import ThisDevice
from auth.devices.utils import DeviceSigner
from auth.sessions.dependencies import DeviceInfoDep
from auth.sessions.service import DeviceInfo

DeviceCookie = Annotated[
    str | None,
    Cookie(
        alias=DEVICE_COOKIE,
        max_length=DEVICE_TOKEN_MAX_LENGTH,
        description="Set by an earlier login: this device is known.",
    ),
]


async def get_device_signer(request: Request) -> DeviceSigner:
    signer: DeviceSigner = request.app.state.device_signer
    return signer


DeviceSignerDep = Annotated[DeviceSigner, Depends(get_device_signer)]


async def parse_this_device(signer: DeviceSignerDep, info: DeviceInfoDep, cookie: DeviceCookie = None) -> ThisDevice:
    """By its cookie. What is forged or malformed is as good as none."""
    return identify_device(signer, info, cookie)


def identify_device(signer: DeviceSigner, info: DeviceInfo, token: str | None) -> ThisDevice:
    shown = signer.read_token(token)
    device_id = signer.create_id() if shown is None else shown
    return ThisDevice(device_id, signer.create_token(device_id), info, has_shown_token=shown is not None)


ThisDeviceDep = Annotated[ThisDevice, Depends(parse_this_device)]


def build_device_cookie(device: ThisDevice) -> dict[str, str]:
    """As a header, for an answer that is an error."""
    carrier = Response()
    set_device_cookie(carrier, device)
    return {"Set-Cookie": carrier.headers["set-cookie"]}


def set_device_cookie(response: Response, device: ThisDevice) -> None:
    """After somebody has proved who they are; renewed each time, so that it lasts as long as it is used."""
    response.set_cookie(
        DEVICE_COOKIE,
        device.token,
        max_age=int(DEVICE_LIFETIME.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
