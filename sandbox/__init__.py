"""A small Kubernetes API server of our own, for the demo and for fast tests.

It is a process of its own behind HTTPS with a kubeconfig, so that the product knows no
difference::

    python -m sandbox --dir build/sandbox
    kubectl --kubeconfig build/sandbox/kubeconfig get nodes

or, from Python, ``sandbox.launch.start(dir, speed=20)``. It imports neither ``app`` nor
``plugins``. Where it differs from a real control plane (``tests/contract`` runs on both)
the sandbox is wrong.

- ``store/`` objects as JSON under one revision, history, selectors, the file on disk
- ``objects/`` what happens between a request and the store: defaults, validation, patches, owners
- ``schema/`` the API's types, derived from Kubernetes' OpenAPI, and what is made from them
- ``api/`` HTTP; ``controllers/`` what moves by itself; ``kubelet/`` pods that look as if they ran

A pod goes wrong on demand: an image whose name or tag has ``broken``, ``missing``,
``nonexistent`` or ``does-not-exist`` cannot be pulled, and the annotation
``sandbox.antstack.io/fault`` of a pod (or the variable ``FAULT``) may say ``slow-start=20s``,
``crash-loop``, ``unready``, ``mount-error`` or ``oom``. For the API itself and for nodes see
``api/faults.py``.

Known not to be like Kubernetes: a ResourceQuota is stored but holds nobody back, roles and
bindings are stored but who may do what is decided by :mod:`sandbox.access`, ``exec`` speaks
WebSocket and not SPDY, and there is no ``port-forward``.
"""
