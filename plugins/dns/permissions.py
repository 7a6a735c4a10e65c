"""Rights and recorded operations of DNS."""

from app.contracts.declarations import Permission
from app.contracts.text import Text
from app.guard import Operation

ZONE_READ = Permission("dns.zone.read", Text("See zones and records", "查看域名与记录"), reads=True)
ZONE_EDIT = Permission("dns.zone.edit", Text("Create and delete zones", "创建与删除域名区"))
RECORD_EDIT = Permission("dns.record.edit", Text("Change records", "修改解析记录"))
ALL = (ZONE_READ, ZONE_EDIT, RECORD_EDIT)

ZONE_CREATED = Operation("dns.zone.created", Text("Created a zone", "创建域名区"))
ZONE_DELETED = Operation("dns.zone.deleted", Text("Deleted a zone", "删除域名区"))
RECORDS_CHANGED = Operation("dns.records.changed", Text("Changed records", "修改解析记录"))
ZONE_REVERTED = Operation("dns.zone.reverted", Text("Reverted a zone", "回退域名区"))
