"""Rights and recorded operations of DNS."""

from app.contracts.declarations import Permission
from app.guard import Operation
from app.words import _

ZONE_READ = Permission("dns.zone.read", _("See zones and records"), reads=True)
ZONE_EDIT = Permission("dns.zone.edit", _("Create and delete zones"))
RECORD_EDIT = Permission("dns.record.edit", _("Change records"))
ALL = (ZONE_READ, ZONE_EDIT, RECORD_EDIT)

ZONE_CREATED = Operation("dns.zone.created", _("Created a zone"))
ZONE_DELETED = Operation("dns.zone.deleted", _("Deleted a zone"))
RECORDS_CHANGED = Operation("dns.records.changed", _("Changed records"))
ZONE_REVERTED = Operation("dns.zone.reverted", _("Reverted a zone"))
