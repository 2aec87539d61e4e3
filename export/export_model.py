"""Export a trained generator for servers and for phones.

    python -m export.export_model --model=runs/shinkai/generator.keras --name=shinkai --output_dir=exported
    python -m export.export_model --output_dir=exported

The second command exports the style that comes with this package. The first writes

- exported/serving/shinkai/1/, a SavedModel for TensorFlow Serving (the next export writes version 2), with
  models.config and a README for the server;
- exported/tflite/shinkai-fp32.tflite, -fp16, -int8 and -fp16-512x512;
- exported/report.md and report.json.

Each file is run in the runtime that it is made for, and compared with the original. If one differs too much, the
command fails and writes nothing.

Formats: saved_model, fp32, fp16 and int8 (weights only) by default; also dynamic (activations quantized at run time),
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
    print("Wrote")
    for entry in entries:
        print(f"  {report.summary(entry)}")
    print(f"{config.output_dir}/{report.MARKDOWN_NAME} describes the comparison with Keras, and how to repeat it.")


if __name__ == "__main__":
    sys.exit(main())
