#!/bin/sh
# The graph of dlib's face recognition network (29 convolutions, residual; 128 numbers; D. King,
# dlib_face_recognition_resnet_model_v1) for model-import:
#   dlib-resnet.sh WEIGHTS_MANIFEST >dlib-resnet.graph
# Weights without a graph come from a TensorFlow.js manifest (bytes with a scale and a minimum); the graph follows
# dlib's dnn_face_recognition_ex.cpp.
set -eu
echo "xfv-graph 1"
echo "input image 150x150x3"
jq -r '.[0] | "data \(.paths[0])", (.weights[] | "weight \(.name) \(.shape | map(tostring) | join("x")) " +
    (if .quantization then "u8 \(.quantization.scale) \(.quantization.min)" else "f32" end))' "$1"

# conv OUT IN PREFIX KERNEL STRIDE PAD: convolution, the scale that dlib keeps beside it, and a name for the sum
conv() {
    echo "node conv $1/conv $2 weight=$3/conv/filters bias=$3/conv/bias kernel=$4x$4 stride=$5x$5 pads=$6,$6,$6,$6"
    echo "node affine $1 $1/conv weight=$3/scale/weights bias=$3/scale/biases"
}
last=image
conv down $last conv32_down 7 2 0
echo "node relu down/relu down"
echo "node maxpool pool down/relu kernel=3x3 stride=2x2"
last=pool side=35 channels=32
residual() { # NAME
    conv "$1/1" "$last" "$1/conv1" 3 1 1
    echo "node relu $1/1/relu $1/1"
    conv "$1/2" "$1/1/relu" "$1/conv2" 3 1 1
    echo "node add $1/sum $1/2,$last"
    echo "node relu $1 $1/sum"
    last=$1
}
# Halves the image: averages beside a strided convolution, whose output may be one row and column short, and whose new
# channels meet zeros.
halve() { # NAME CHANNELS
    conv "$1/1" "$last" "$1/conv1" 3 2 0
    echo "node relu $1/1/relu $1/1"
    conv "$1/2" "$1/1/relu" "$1/conv2" 3 1 1
    echo "node avgpool $1/pool $last kernel=2x2 stride=2x2"
    body=$1/2 short=$1/pool small=$(((side - 3) / 2 + 1)) side=$((side / 2))
    if [ $small -ne $side ]; then
        echo "node pad $1/pad $body pads=0,0,1,1"
        body=$1/pad
    fi
    if [ "$2" -ne $channels ]; then
        echo "weight $1/zeros ${side}x${side}x$(($2 - channels)) zero"
        echo "node const $1/zeros - weight=$1/zeros"
        echo "node concat $1/wide $short,$1/zeros axis=2"
        short=$1/wide channels=$2
    fi
    echo "node add $1/sum $body,$short"
    echo "node relu $1 $1/sum"
    last=$1
}
for i in 1 2 3; do residual conv32_$i; done
halve conv64_down 64
for i in 1 2 3; do residual conv64_$i; done
halve conv128_down 128
for i in 1 2; do residual conv128_$i; done
halve conv256_down 256
for i in 1 2; do residual conv256_$i; done
halve conv256_down_out 256
echo "node reduce mean $last function=mean axes=0,1"
echo "node dense embedding mean weight=fc"
echo "output embedding"
