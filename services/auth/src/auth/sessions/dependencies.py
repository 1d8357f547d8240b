from typing import Annotated

from fastapi import Depends, Request

from auth.sessions.service import DeviceInfo
from auth.sessions.utils import RefreshChain, shorten_user_agent, truncate_address


async def get_refresh_chain(request: Request) -> RefreshChain:
    chain: RefreshChain = request.app.state.refresh_chain
    return chain


async def parse_device_info(request: Request) -> DeviceInfo:
    address = request.client.host if request.client else None
    return DeviceInfo(shorten_user_agent(request.headers.get("user-agent")), truncate_address(address))


RefreshChainDep = Annotated[RefreshChain, Depends(get_refresh_chain)]
DeviceInfoDep = Annotated[DeviceInfo, Depends(parse_device_info)]
