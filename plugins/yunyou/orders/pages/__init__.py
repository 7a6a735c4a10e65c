"""Pages of orders: releases, rollbacks, their pods, and where orders were before."""
