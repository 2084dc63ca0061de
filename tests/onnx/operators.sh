# The operators of ONNX that model-import knows, as docs/tables/other/onnx-operators.tsv has them.
printf 'operator\tdomain\tworks on\n'
sed -n 's/^    {"\([A-Za-z0-9]*\)", \([a-zA-Z_0-9]*\), [a-zA-Z_0-9]*, [0-9], \(.*\)},$/\1 \2 \3/p' \
    "${1:-libcommon/net/import/onnx_call.c}" |
    awk -v OFS='\t' '{
        domain = /ONNX_ALIEN/ ? "com.microsoft" : /ONNX_MICROSOFT/ ? "ai.onnx, com.microsoft" : "ai.onnx"
        print $1, domain, $2 == "NULL" && $3 !~ /OF_SHAPE/ ? "constants" : "all tensors"
    }'
