"""The processes of a site: web, worker, scheduler, mirror, dns, and all of them together."""
