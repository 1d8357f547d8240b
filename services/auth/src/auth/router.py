from fastapi import APIRouter

from auth.accounts.router import router as accounts
from auth.admin.router import router as admin
from auth.apps.router import router as apps
from auth.audit.router import router as audit
from auth.authorizations.router import router as authorizations
from auth.avatars.router import jobs_router as avatar_jobs
from auth.avatars.router import router as avatars
from auth.avatars.service import AVATARS
from auth.confirmations.router import router as confirmations
from auth.consents.router import router as consents
from auth.creators.router import router as creators
from auth.deletions.router import router as deletions
from auth.exports.queries import PARTS
from auth.exports.router import jobs_router as export_jobs
from auth.exports.router import router as exports
from auth.exports.service import EXPORTS
from auth.introspection.router import router as introspection
from auth.keys.router import router as keys
from auth.metadata.router import router as metadata
from auth.mfa.router import router as mfa
from auth.passkeys.router import router as passkeys
from auth.profiles.router import router as profiles
from auth.recovery.router import router as recovery
from auth.registrations.router import router as registrations
from auth.sessions.router import router as sessions
from auth.stepups.router import router as stepups
from auth.tokens.router import router as tokens
from auth.totp.router import router as totp
from chassis.events.feed import create_feed_router
from chassis.exports import create_export_router
from chassis.jobs.router import create_due_jobs_router

router = APIRouter()
router.include_router(audit)
router.include_router(admin)
router.include_router(apps)
router.include_router(accounts)  # before profiles: /profiles/me is no id
router.include_router(deletions)
router.include_router(profiles)
router.include_router(avatars)
router.include_router(creators)
router.include_router(registrations)
router.include_router(recovery)
router.include_router(exports)
router.include_router(sessions)
router.include_router(stepups)
router.include_router(mfa)
router.include_router(totp)
router.include_router(passkeys)
router.include_router(tokens)
router.include_router(authorizations)
router.include_router(consents)
router.include_router(introspection)
router.include_router(keys)
router.include_router(metadata)
router.include_router(confirmations)
router.include_router(create_feed_router())
router.include_router(avatar_jobs)
router.include_router(export_jobs)
router.include_router(create_export_router(PARTS))
router.include_router(create_due_jobs_router([AVATARS, EXPORTS]))
