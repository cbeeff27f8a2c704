{{- define "replicator.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Chart.Name .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "replicator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "replicator.labels" -}}
{{ include "replicator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "replicator.account" -}}
{{- if .Values.serviceAccount.create }}{{ include "replicator.name" . }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "replicator.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- /* The files that the daemon is given: one task's, or each of many. As JSON strings, which keep every space. */}}
{{- define "replicator.files" -}}
{{- if .Values.tasks }}
{{- with .Values.common }}common.properties: {{ toJson . }}
{{ end }}
{{- range $name, $text := .Values.tasks }}{{ $name }}.properties: {{ toJson $text }}
{{ end }}
{{- else }}replication.properties: {{ toJson .Values.properties }}
{{- end }}
{{- end }}
