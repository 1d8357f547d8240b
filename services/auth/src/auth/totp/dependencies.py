from typing import Annotated

from fastapi import Depends, Request

from auth.mfa.dependencies import RecoveryCodeDigesterDep
from auth.totp.service import CodeTools
from auth.totp.utils import TotpBox


async def get_totp_box(request: Request) -> TotpBox:
    box: TotpBox = request.app.state.totp_box
    return box


TotpBoxDep = Annotated[TotpBox, Depends(get_totp_box)]


async def get_code_tools(box: TotpBoxDep, digester: RecoveryCodeDigesterDep) -> CodeTools:
    return CodeTools(box, digester)


CodeToolsDep = Annotated[CodeTools, Depends(get_code_tools)]
