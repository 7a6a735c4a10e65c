"""What moves by itself: the controllers of a cluster, after ``pkg/controller`` of Kubernetes."""
