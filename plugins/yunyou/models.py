"""Every table of Yunyou, wherever it stands: what migrations are compared with, whether it is enabled or not."""

from plugins.yunyou.environments import models as environments
from plugins.yunyou.orders import models as orders
from plugins.yunyou.planning import models as planning
from plugins.yunyou.products import models as products
from plugins.yunyou.resources import models as resources
from plugins.yunyou.solutions import models as solutions

__all__ = ["environments", "orders", "planning", "products", "resources", "solutions"]
