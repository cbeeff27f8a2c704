package replicator.aws;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeAction;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.AttributeValueUpdate;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.ExpectedAttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.ReturnValue;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Direct calls are copies of the SDK's, and whatever is not as it should be is left to the SDK. */
@Timeout(60)
class DirectCallsTest {
    private static final GetRecordsRequest READ =
            GetRecordsRequest.builder().shardIterator("arn|1|\"a/b+c=\"").limit(1000).build();

    /** What differs between two calls. */
    private static final Set<String> NEW =
            Set.of("amz-sdk-invocation-id", "Authorization", "X-Amz-Date", "x-amz-content-sha256", "Content-Length");

    private final DirectClients clients = new DirectClients();
    private final DynamoDbStreamsClient stream = clients.streams();

    /** The body that a direct call was answered with; null where the SDK is to make it. */
    private String direct(GetRecordsRequest request) {
        DirectCalls.Call call = clients.calls.prepared(request);
        return call == null ? null : call.answer((body, head) -> new String(body.readAllBytes()));
    }

    private static AttributeValue text(String value) {
        return AttributeValue.builder().s(value).build();
    }

    private static AttributeValue number(long value) {
        return AttributeValue.builder().n(String.valueOf(value)).build();
    }

    /** As KCL renews a lease. */
    private static UpdateItemRequest renewal(long counter) {
        return UpdateItemRequest.builder().tableName("leases").key(Map.of("leaseKey", text("shardId-1")))
                .attributeUpdates(Map.of("leaseCounter",
                        AttributeValueUpdate.builder().value(number(counter + 1)).action(AttributeAction.PUT).build()))
                .expected(new TreeMap<>(Map.of("leaseCounter", ExpectedAttributeValue.builder().value(number(counter)).build(),
                        "checkpointOwner", ExpectedAttributeValue.builder().exists(false).build())))
                .returnValuesOnConditionCheckFailure(ReturnValuesOnConditionCheckFailure.ALL_OLD).build();
    }

    /** As KCL stores a checkpoint. */
    private static UpdateItemRequest checkpoint(String sequenceNumber) {
        return renewal(7).toBuilder().returnValuesOnConditionCheckFailure((String) null)
                .attributeUpdates(new TreeMap<>(Map.of(
                        "checkpoint", AttributeValueUpdate.builder().value(text(sequenceNumber)).action("PUT").build(),
                        "checkpointSubSequenceNumber", AttributeValueUpdate.builder().value(number(0)).action("PUT").build(),
                        "pendingCheckpoint", AttributeValueUpdate.builder().action("DELETE").build()))).build();
    }

    @Test
    void theFirstCallIsTheSdksAndTheNextIsLikeIt() {
        assertNull(clients.calls.prepared(READ));
        stream.getRecords(READ);
        clients.next(200, "{\"Records\":[]}");
        assertEquals("{\"Records\":[]}", direct(READ.toBuilder().shardIterator("another").build()));
        assertEquals(1, clients.bySdk.get());
        SdkHttpRequest first = clients.sent.get(0);
        SdkHttpRequest second = clients.sent.get(1);
        assertEquals(first.getUri(), second.getUri());
        assertEquals(first.headers().keySet(), second.headers().keySet());
        Set<String> different = first.headers().keySet().stream()
                .filter(name -> !first.headers().get(name).equals(second.headers().get(name))).collect(Collectors.toSet());
        different.remove("X-Amz-Date"); // the same where both are of one second
        assertEquals(NEW.stream().filter(name -> !name.equals("X-Amz-Date")).collect(Collectors.toSet()), different);
        assertEquals("{\"ShardIterator\":\"another\",\"Limit\":1000}", new String(clients.bodies.get(1)));
    }

    /** As the service looks at it, by the SDK's own signer. */
    @Test
    void theSignatureIsRight() {
        clients.keys = AwsSessionCredentials.create("AKIDEXAMPLE", "secret/of+some=length", "token/of+a=session");
        DynamoDbStreamsClient assumed = clients.streams();
        assumed.getRecords(READ);
        assertNotNull(direct(READ));
        SdkHttpRequest sent = clients.sent.get(1);
        assertEquals(signed(sent, clients.bodies.get(1), Instant.now()).firstMatchingHeader("Authorization"),
                sent.firstMatchingHeader("Authorization"));
    }

    private SdkHttpRequest signed(SdkHttpRequest like, byte[] body, Instant otherwise) {
        String date = like.firstMatchingHeader("X-Amz-Date").orElse(null);
        Instant now = date == null ? otherwise : Instant.parse(date.replaceFirst(
                "(....)(..)(..)T(..)(..)(..)Z", "$1-$2-$3T$4:$5:$6Z"));
        SdkHttpRequest bare = like.toBuilder().removeHeader("Authorization").removeHeader("X-Amz-Date")
                .removeHeader("x-amz-content-sha256").removeHeader("X-Amz-Security-Token").build();
        return AwsV4HttpSigner.create().sign(r -> r.identity(clients.keys).request(bare)
                .payload(() -> new ByteArrayInputStream(body))
                .putProperty(AwsV4HttpSigner.REGION_NAME, "eu-west-1")
                .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "dynamodb")
                .putProperty(HttpSigner.SIGNING_CLOCK, Clock.fixed(now, ZoneOffset.UTC))).request();
    }

    /** The SDK found that the service's clock is another one. */
    @Test
    void theSdksClockGoes() throws IOException {
        stream.getRecords(READ);
        byte[] body = clients.bodies.get(0);
        Instant late = Instant.now().plus(Duration.ofHours(3));
        SdkHttpRequest sent = signed(clients.sent.get(0).toBuilder().removeHeader("X-Amz-Date").build(), body, late);
        LearnedCall learned = LearnedCall.of(sent, clients.keys, body);
        String date = learned.with(body).httpRequest().firstMatchingHeader("X-Amz-Date").orElseThrow();
        Duration apart = Duration.between(late, Instant.parse(
                date.replaceFirst("(....)(..)(..)T(..)(..)(..)Z", "$1-$2-$3T$4:$5:$6Z")));
        assertTrue(apart.abs().compareTo(Duration.ofMinutes(1)) < 0, apart.toString());
    }

    @Test
    void withOtherKeysTheSdkMakesTheFirstCallAgain() {
        stream.getRecords(READ);
        assertNotNull(direct(READ));
        clients.keys = AwsBasicCredentials.create("AKIDOTHER", "another");
        assertNull(direct(READ));
        assertEquals(2, clients.sent());
        stream.getRecords(READ);
        assertNotNull(direct(READ));
        assertTrue(clients.sent.get(3).firstMatchingHeader("Authorization").orElseThrow().contains("=AKIDOTHER/"));
    }

    /** Which may mean anything to the service, as one that a later version of the SDK sends. */
    @Test
    void withAHeaderThatIsNotKnownAllCallsAreTheSdks() {
        DynamoDbStreamsClient other = clients.streams(new ExecutionInterceptor() {
            @Override
            public SdkHttpRequest modifyHttpRequest(Context.ModifyHttpRequest context, ExecutionAttributes attributes) {
                return context.httpRequest().toBuilder().putHeader("x-amz-new", "1").build();
            }
        });
        other.getRecords(READ);
        assertNull(clients.calls.prepared(READ));
    }

    @Test
    void whatIsSignedOtherwiseIsNotLearned() {
        stream.getRecords(READ);
        SdkHttpRequest sent = clients.sent.get(0);
        byte[] body = clients.bodies.get(0);
        assertNotNull(LearnedCall.of(sent, clients.keys, body));
        assertNull(LearnedCall.of(sent, clients.keys, "{\"Limit\":1000}".getBytes()));
        assertNull(LearnedCall.of(sent, AwsBasicCredentials.create("AKIDEXAMPLE", "another"), body));
        assertNull(LearnedCall.of(sent, AwsSessionCredentials.create("AKIDEXAMPLE", "a", "token"), body));
        for (String name : sent.headers().keySet()) {
            if (!name.equals("User-Agent")) { // which is not signed
                assertNull(LearnedCall.of(sent.toBuilder().putHeader(name, "other").build(), clients.keys, body), name);
                assertNull(LearnedCall.of(sent.toBuilder().appendHeader(name, "other").build(), clients.keys, body), name);
            }
        }
        assertNull(LearnedCall.of(sent.toBuilder().encodedPath("/prefix").build(), clients.keys, body));
        assertNull(LearnedCall.of(sent.toBuilder().appendRawQueryParameter("a", "b").build(), clients.keys, body));
    }

    @Test
    void afterAFailureTheSdkMakesAllCallsForAWhile() {
        stream.getRecords(READ);
        clients.next(400, "{\"__type\":\"com.amazonaws#ExpiredIteratorException\"}");
        assertNull(direct(READ));
        assertEquals(2, clients.sent());
        assertNull(clients.calls.prepared(READ));
        pass(1_000);
        clients.next(() -> {
            throw new IOException("reset");
        });
        assertNull(direct(READ));
        assertEquals(3, clients.sent());
        pass(1_000);
        assertNull(clients.calls.prepared(READ)); // twice as long
        pass(1_000);
        assertNotNull(direct(READ));
        assertNotNull(direct(READ));
        clients.next(200, "");
        assertNull(clients.calls.prepared(READ).answer((body, head) -> {
            throw new IOException("not read");
        }));
        assertNull(clients.calls.prepared(READ));
        pass(1_000); // a success has ended the series
        assertNotNull(direct(READ));
    }

    private void pass(long millis) {
        clients.nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    /** Each look for keys may be a call of STS, which the SDK makes, too. */
    @Test
    void withoutKeysTheSdkSaysSoAndLooksAlone() {
        stream.getRecords(READ);
        AwsCredentials before = clients.keys;
        clients.keys = null;
        assertNull(clients.calls.prepared(READ));
        clients.keys = before;
        assertNull(clients.calls.prepared(READ));
        pass(1_000);
        assertNotNull(clients.calls.prepared(READ));
    }

    /** Once, and only where the service has answered the SDK meanwhile. */
    @Test
    void itIsSaidThatDirectCallsAreOfNoUse() {
        Logger log = (Logger) LoggerFactory.getLogger("replicator");
        ListAppender<ILoggingEvent> said = new ListAppender<>();
        said.start();
        log.setLevel(Level.INFO);
        log.addAppender(said);
        try {
            stream.getRecords(READ);
            for (int i = 0; i < 10; i++) {
                failBoth();
            }
            assertEquals(List.of(), said.list);
            for (int i = 0; i < 4; i++) {
                failDirectly();
            }
            assertEquals(List.of(), said.list);
            for (int i = 0; i < 4; i++) {
                failDirectly();
            }
            assertEquals(1, said.list.size());
            String message = said.list.get(0).getFormattedMessage();
            assertTrue(message.startsWith("direct_calls_unused error=\"java.io.IOException: status 403\""), message);
        } finally {
            log.detachAppender(said);
            log.setLevel(null);
        }
    }

    private void failDirectly() {
        clients.rested();
        clients.next(403, "{}");
        assertNull(direct(READ));
        stream.getRecords(READ);
    }

    private void failBoth() {
        clients.rested();
        clients.next(500, "{}");
        assertNull(direct(READ));
        clients.next(500, "{}");
        assertThrows(DynamoDbException.class, () -> stream.getRecords(READ));
    }

    @Test
    void updatesOfLeasesAreWrittenAsTheSdkWritesThem() throws Exception {
        DynamoDbAsyncClient tables = clients.tables();
        for (UpdateItemRequest each : List.of(renewal(1), checkpoint("100\u00e4\"\\\n"))) {
            int before = clients.sent();
            tables.updateItem(each).get();
            assertArrayEquals(clients.bodies.get(before), RequestBodies.of(each));
            assertNotNull(clients.calls.prepared(each));
        }
    }

    /** Whatever isn't written here must be seen to be there. */
    @Test
    void nothingOfARequestIsLeftOut() {
        UpdateItemRequest plain = renewal(1);
        assertNotNull(RequestBodies.of(plain));
        for (AttributeValue other : List.of(AttributeValue.builder().bool(true).build(), AttributeValue.builder().ss("a").build(),
                AttributeValue.builder().build())) {
            assertNull(RequestBodies.of(plain.toBuilder().key(Map.of("leaseKey", other)).build()));
            assertNull(RequestBodies.of(plain.toBuilder().attributeUpdates(
                    Map.of("a", AttributeValueUpdate.builder().value(other).build())).build()));
            assertNull(RequestBodies.of(plain.toBuilder().expected(
                    Map.of("a", ExpectedAttributeValue.builder().value(other).build())).build()));
        }
        assertNull(RequestBodies.of(plain.toBuilder().expected(Map.of(
                "a", ExpectedAttributeValue.builder().comparisonOperator("EQ").attributeValueList(text("b")).build())).build()));
        assertNull(RequestBodies.of(plain.toBuilder().returnValues(ReturnValue.ALL_NEW).build()));
        assertNull(RequestBodies.of(plain.toBuilder().returnConsumedCapacity("TOTAL").build()));
        assertNull(RequestBodies.of(plain.toBuilder().returnItemCollectionMetrics("SIZE").build()));
        assertNull(RequestBodies.of(plain.toBuilder().conditionalOperator("OR").build()));
        assertNull(RequestBodies.of(plain.toBuilder().updateExpression("SET a = b").build()));
        assertNull(RequestBodies.of(plain.toBuilder().conditionExpression("a = b").build()));
        assertNull(RequestBodies.of(plain.toBuilder().expressionAttributeNames(Map.of("#a", "a")).build()));
        assertNull(RequestBodies.of(plain.toBuilder().expressionAttributeValues(Map.of(":a", text("a"))).build()));
        assertNull(RequestBodies.of(READ.toBuilder().limit(null).build()));
        assertEquals(new TreeSet<>(Set.of("TableName", "Key", "AttributeUpdates", "Expected", "ConditionalOperator", "ReturnValues",
                        "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "UpdateExpression", "ConditionExpression",
                        "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure")),
                plain.sdkFields().stream().map(field -> field.memberName()).collect(Collectors.toCollection(TreeSet::new)));
        assertEquals(Set.of("ShardIterator", "Limit"),
                READ.sdkFields().stream().map(field -> field.memberName()).collect(Collectors.toSet()));
        assertNotEquals(0, RequestBodies.of(READ).length);
    }
}
