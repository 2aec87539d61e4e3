// Loads an exported version and asks its signatures, in C++ alone: what TensorFlow Serving does with it, without the
// server. Built against the library and headers that come with TensorFlow's wheel, by ../test_serving_cc.py.
//
//   serve_once VERSION_DIR pixels HEIGHT WIDTH IN OUT           serving_default: raw RGB bytes in and out
//   serve_once VERSION_DIR encoded IN OUT                       picture file in, PNG out
//   serve_once VERSION_DIR styled IN OUT STRENGTH LONG_SIDE
//   serve_once VERSION_DIR each IN OUT STRENGTH LONG_SIDE FORMAT    with the photo's colours
//
// Prints the status, and before it what `each` says about its picture. The exit status is 0 where it is OK, 3 where it is INVALID_ARGUMENT, 1 otherwise.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session_options.h"

namespace {

using tensorflow::Tensor;
using tensorflow::TensorShape;
using Inputs = std::vector<std::pair<std::string, Tensor>>;

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Write(const std::string& path, const char* bytes, size_t size) {
  std::ofstream(path, std::ios::binary).write(bytes, static_cast<std::streamsize>(size));
}

Tensor Pixels(const std::string& bytes, int64_t height, int64_t width) {
  Tensor image(tensorflow::DT_UINT8, TensorShape({1, height, width, 3}));
  std::memcpy(image.flat<uint8_t>().data(), bytes.data(), bytes.size());
  return image;
}

template <typename T>
Tensor One(const T& value) {
  Tensor tensor(tensorflow::DataTypeToEnum<T>::value, TensorShape({1}));
  tensor.flat<T>()(0) = value;
  return tensor;
}

absl::Status Ask(const tensorflow::SavedModelBundle& bundle, const std::string& name, const Inputs& inputs,
                 const std::string& output, Tensor* answer) {
  const auto& signature = bundle.GetSignatures().at(name);
  Inputs feeds;
  for (const auto& [input, value] : inputs) feeds.emplace_back(signature.inputs().at(input).name(), value);
  std::vector<Tensor> answers;
  absl::Status status = bundle.GetSession()->Run(feeds, {signature.outputs().at(output).name()}, {}, &answers);
  if (status.ok()) *answer = answers[0];
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  tensorflow::SavedModelBundle bundle;
  absl::Status status = tensorflow::LoadSavedModel({}, {}, words.at(0), {"serve"}, &bundle);
  if (!status.ok()) {
    std::cout << "cannot be loaded: " << status << "\n";
    return 1;
  }
  Tensor answer;
  if (words.at(1) == "pixels") {
    const Tensor image = Pixels(Read(words.at(4)), std::stoll(words.at(2)), std::stoll(words.at(3)));
    status = Ask(bundle, "serving_default", {{"image", image}}, "cartoon", &answer);
    if (status.ok()) Write(words.at(5), answer.tensor_data().data(), answer.tensor_data().size());
  } else {
    Inputs inputs = {{"image_bytes", One(tensorflow::tstring(Read(words.at(2))))}};
    if (words.at(1) != "encoded") {
      inputs.emplace_back("strength", One(std::stof(words.at(4))));
      inputs.emplace_back("long_side", One(static_cast<int32_t>(std::stoi(words.at(5)))));
    }
    if (words.at(1) == "each") {
      inputs.emplace_back("keep_colors", One(true));
      inputs.emplace_back("format", One(tensorflow::tstring(words.at(6))));
      status = Ask(bundle, "each", inputs, "status", &answer);
      if (status.ok()) std::cout << answer.flat<tensorflow::tstring>()(0) << "\n";
    }
    status = Ask(bundle, words.at(1), inputs, "cartoon_bytes", &answer);
    if (status.ok()) {
      const tensorflow::tstring& png = answer.flat<tensorflow::tstring>()(0);
      Write(words.at(3), png.data(), png.size());
    }
  }
  std::cout << status << "\n";
  return status.ok() ? 0 : absl::IsInvalidArgument(status) ? 3 : 1;
}
