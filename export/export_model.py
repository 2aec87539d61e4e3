"""Export a trained generator for servers and for phones.

    python -m export.export_model --model=runs/shinkai/generator.keras --name=shinkai --output_dir=exported
    python -m export.export_model --output_dir=exported

The second exports the style that comes with this. The first writes exported/serving/shinkai/1/ (a SavedModel under a
TensorFlow Serving base path; the next export is 2), with models.config and a README for the server;
exported/tflite/shinkai-fp32.tflite, -fp16, -int8 and -fp16-512x512; and exported/report.md and report.json. Each file
is run where it will run and compared with the original before any gets its name; the command fails otherwise.

Formats: saved_model, fp32, fp16 and int8 (weights alone) by default; dynamic (activations rounded as they come),
int8_full (int8 activations and uint8 pictures; needs --calibration_dir) and onnx (needs pip install '.[onnx]').
"""

import sys

from cartoongan_tf.base import program
from cartoongan_tf.base.extras import require_extra
from export.config import ExportConfig


def main(argv=None) -> int:
    return program.run(ExportConfig, _export, __doc__, argv)


def _export(config: ExportConfig, _) -> None:
    if "onnx" in config.format_names:
        require_extra("onnx", "--formats=onnx")
    program.start_tensorflow()
    from export import exporter, report

    entries = exporter.export(config)
    print("Wrote\n  " + "\n  ".join(report.summary(entry) for entry in entries))
    print(f"{config.output_dir}/{report.MARKDOWN_NAME} tells what was compared, and how to do it again.")


if __name__ == "__main__":
    sys.exit(main())
