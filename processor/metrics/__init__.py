"""What a task measures, and how it is told: Prometheus, CloudWatch, OTLP."""
