"""The one door through which this site reaches addresses that a person or another server named.

``addresses`` says where nothing may go, ``door`` resolves, checks and connects, ``pool`` and ``session`` speak HTTP
through it with a deadline and a cap, ``proxy`` serves libraries that open their own sockets, ``reasons`` puts into
words why a server was not reached. Nothing else opens a connection: ``tests/architecture`` walks the imports.
"""
